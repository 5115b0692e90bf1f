"""How often a reply says it would pay."""

import re

_EVERY = {
    "fortnightly": (
        "biweekly", "bi weekly", "bi-weekly", "every two weeks", "every 2 weeks", "every other week", "fortnight",
        "every paycheck", "each paycheck", "per paycheck", "a paycheck", "every payday", "each payday",
        "quincenal", "por quincena", "cada quincena", "cada 15 dias", "cada quince dias",
        "每两周", "每半个月", "每半月",
    ),
    "weekly": (
        "a week", "per week", "weekly", "each week", "every week", "/week", "/wk", "a wk", "por semana", "a la semana",
        "cada semana", "semanal", "每周", "一周", "每个星期", "每星期",
    ),
    "monthly": (
        "a month", "per month", "monthly", "each month", "every month", "/month", "/mo", "a mo", "al mes", "por mes",
        "cada mes", "mensual", "每月", "每个月", "一个月", "每期",
    ),
}  # fmt: skip

_PATTERNS = {name: re.compile("|".join(map(re.escape, said))) for name, said in _EVERY.items()}


def how_often(text: str) -> str | None:
    """Return ``fortnightly``, ``weekly`` or ``monthly``; most days apart last: "every two weeks" is not weekly."""
    return next((name for name, said in _PATTERNS.items() if said.search(text)), None)
