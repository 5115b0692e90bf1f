"""What a reply says about a plan the borrower has, and about the day they get paid."""

# ruff: noqa: E501 - a pattern cut over several lines cannot be read

import re

_PLAN = (
    r"(?:payment |repayment |installment |instalment )?(?:plans?|arrangements?|installments?|instalments?|agreement)"
)
_CHANGE = re.compile(
    rf"\b(?:change|modify|adjust|update|amend|edit|redo|switch) (?:\w+ ){{0,2}}?{_PLAN}\b"
    rf"|\b(?:cambiar|modificar|ajustar|cambio|cambien|cambiarme) (?:\w+ ){{0,2}}?(?:plan|acuerdo|arreglo|convenio|plazos|cuotas|parcialidades)\b"
    r"|(?:更改|修改|变更|调整|改(?:一?下)?)(?:我的|我|这个|一下)?(?:分期|还款)(?:计划|方案|安排)?"
)
_CANCEL = re.compile(
    rf"\b(?:cancel|end|stop|drop|undo|get out of|quit) (?:my|the|this|our|that) (?:\w+ )?{_PLAN}\b"
    rf"|\bcancel {_PLAN}\b"
    rf"|\b(?:cancelar|cancelen|cancela|cancele|anular|anulen|dejar|terminar) (?:mi|el|este|mis|las|los) (?:\w+ )?(?:plan|acuerdo|arreglo|convenio|plazos|cuotas|parcialidades)\b"
    r"|(?:取消|终止|停掉|不要|撤销)(?:我的|我|这个|掉)?(?:分期|还款(?:计划|方案|安排))(?:计划|方案|安排)?"
)
_PAYDAY = re.compile(
    r"\b(?:get|gets|getting|got|be|am|im) paid\b(?! (?:off|up|in full))|\bpay ?(?:day|check|cheque)\b|\bpay(?:day|check|cheque)s?\b|\bmy (?:wages|salary|benefits?|pension|check)\b (?:come|comes|is|are|arrives?|lands?)"
    r"|\b(?:me pagan|cobro|cobrar|me depositan|me cae|dia de pago|mi quincena|mi sueldo|mi nomina)\b"
    r"|发(?:工资|薪水?|钱)|工资日|开支|领(?:工资|薪)"
)


def plan_wish(text: str) -> str | None:
    """Return ``cancel`` or ``change`` when a reply says so of a plan; both at once is a change. ``text`` is plain."""
    if _CHANGE.search(text):
        return "change"
    return "cancel" if _CANCEL.search(text) else None


def names_payday(text: str) -> bool:
    """Tell whether a reply speaks of the day its writer gets paid. ``text`` is cleaned, without accents."""
    return _PAYDAY.search(text) is not None
