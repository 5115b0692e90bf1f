"""A person's own words: what mail programs put around them goes, what stands between quotes stays."""

# ruff: noqa: E501 - a mail as it came is not cut over several lines

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from channels.email.quoted import MAX_REPLY, words_of, words_of_html

OURS = "> Your payment of $40 is due on Friday.\n> Reply STOP to opt out."

AROUND = {
    "gmail": f"On Tue, Mar 10, 2026 at 9:00 AM Lender <notices@mail.example.com> wrote:\n\n{OURS}",
    "gmail wrapped": f"On Tue, Mar 10, 2026 at 9:00 AM Lender Customer Care\n<notices@mail.example.com> wrote:\n\n{OURS}",
    "gmail spanish": f"El mar, 10 mar 2026 a las 9:00, Lender (<notices@mail.example.com>) escribió:\n\n{OURS}",
    "gmail chinese": f"Lender <notices@mail.example.com> 于2026年3月10日周二 09:00写道：\n\n{OURS}",
    "gmail traditional": f"Lender <notices@mail.example.com> 於 2026年3月10日 週二 上午9:00寫道：\n\n{OURS}",
    "gmail french": f"Le mar. 10 mars 2026 à 09:00, Lender <notices@mail.example.com> a écrit :\n\n{OURS}",
    "gmail german": f"Am Di., 10. März 2026 um 09:00 Uhr schrieb Lender <notices@mail.example.com>:\n\n{OURS}",
    "gmail portuguese": f"Em ter., 10 de mar. de 2026 às 09:00, Lender <notices@mail.example.com> escreveu:\n\n{OURS}",
    "gmail italian": f"Il giorno mar 10 mar 2026 alle ore 09:00 Lender <notices@mail.example.com> ha scritto:\n\n{OURS}",
    "gmail dutch": f"Op di 10 mrt 2026 om 09:00 schreef Lender <notices@mail.example.com>:\n\n{OURS}",
    "apple mail": f"> On 10 Mar 2026, at 09:00, Lender <notices@mail.example.com> wrote:\n> \n{OURS}",
    "apple unmarked": "On Mar 10, 2026, at 9:00 AM, Lender <notices@mail.example.com> wrote:\n\nYour payment is due. STOP",
    "apple chinese": f"> 在 2026年3月10日，09:00，Lender <notices@mail.example.com> 写道：\n{OURS}",
    "iphone chinese": f"发自我的iPhone\n\n> 在 2026年3月10日，09:00，Lender <notices@mail.example.com> 写道：\n{OURS}",
    "iphone": f"Sent from my iPhone\n\n> On Mar 10, 2026, at 9:00 AM, Lender <notices@mail.example.com> wrote:\n{OURS}",
    "iphone spanish": "Enviado desde mi iPhone\n\n> El 10 mar 2026, a las 9:00, Lender <notices@mail.example.com> escribió:\n> STOP",
    "thunderbird": f"On 10/03/2026 09:00, Lender wrote:\n{OURS}",
    "outlook": "________________________________\nFrom: Lender <notices@mail.example.com>\nSent: Tuesday, March 10, 2026 9:00 AM\nTo: Ana\nSubject: Your payment\n\nReply STOP to opt out.",
    "outlook without a rule": "From: Lender <notices@mail.example.com>\nSent: Tuesday, March 10, 2026 9:00 AM\nTo: Ana\nSubject: Your payment\n\nReply STOP.",
    "outlook bold": "*From:* Lender <notices@mail.example.com>\n*Sent:* Tuesday, March 10, 2026\n*To:* Ana\n\nReply STOP.",
    "outlook classic": "-----Original Message-----\nFrom: Lender [mailto:notices@mail.example.com]\nSent: Tuesday\n\nSTOP",
    "outlook spanish": "De: Lender\nEnviado el: martes, 10 de marzo de 2026 9:00\nPara: Ana\nAsunto: Su pago\n\nResponda ALTO.",
    "outlook chinese": "发件人: Lender <notices@mail.example.com>\n发送时间: 2026年3月10日 9:00\n收件人: Ana\n主题: 还款提醒\n\n回复TD退订",
    "outlook german": "Von: Lender <notices@mail.example.com>\nGesendet: Dienstag, 10. März 2026\nAn: Ana\nBetreff: Zahlung\n\nSTOP",
    "outlook mobile": "Get Outlook for iOS<https://example.com/o>\n________________________________\nFrom: Lender\nSent: Tuesday\n\nSTOP",
    "qq": "------------------ 原始邮件 ------------------\n发件人: \"Lender\" <notices@mail.example.com>;\n发送时间: 2026年3月10日(星期二)\n主题: 还款提醒\n\n回复TD退订",
    "qq short": "---原始邮件---\n发件人: \"Lender\"<notices@mail.example.com>\n\n回复TD退订",
    "163": "在 2026-03-10 09:00:00，\"Lender\" <notices@mail.example.com> 写道：\n\n您的还款将于周五到期。回复TD退订",
    "163 reply block": "---- 回复的原邮件 ----\n| 发件人 | Lender |\n| 日期 | 2026年3月10日 |\n\n回复TD退订",
    "foxmail": "发件人： Lender\n发送时间： 2026-03-10 09:00\n收件人： Ana\n主题： 还款提醒\n\n回复TD",
    "yahoo": "On Tuesday, March 10, 2026, 09:00:00 AM GMT, Lender <notices@mail.example.com> wrote:\n\n Your payment is due. STOP",
    "yahoo spanish": "En martes, 10 de marzo de 2026, 9:00:00 GMT, Lender <notices@mail.example.com> escribió:\n\n STOP",
    "android": "Sent from Yahoo Mail on Android\n\n  On Tue, Mar 10, 2026 at 9:00 AM, Lender<notices@mail.example.com> wrote:   STOP",
    "japanese": f"2026年3月10日(火) 9:00 Lender <notices@mail.example.com>:\n\n{OURS}",
    "russian": f"вт, 10 мар. 2026 г. в 09:00, Lender <notices@mail.example.com>:\n\n{OURS}",
    "signature": "-- \nAna López\nExample Ltd\nStop by any time",
    "disclaimer": "CONFIDENTIALITY NOTICE: this message is privileged. Stop reading if it is not yours.",
    "disclaimer spanish": "AVISO DE CONFIDENCIALIDAD: este mensaje es confidencial. Deje de leer si no es suyo.",
    "forwarded": "---------- Forwarded message ----------\nFrom: Lender\nSubject: Your payment\n\nSTOP",
}  # fmt: skip


@pytest.mark.parametrize("around", AROUND.values(), ids=AROUND.keys())
@pytest.mark.parametrize("own", ["I can pay on Friday.", "Puedo pagar el viernes.", "我周五还款。\n谢谢"])
def test_only_the_persons_words_are_left(own: str, around: str) -> None:
    assert words_of(f"{own}\n\n{around}\n") == own
    assert words_of(f"{own}\r\n\r\n{around}\r\n".replace("\r\n", "\n").replace("\n", "\r\n")) == own


@pytest.mark.parametrize(
    ("reply", "own"),
    [
        (f"On Tue, Mar 10, 2026 at 9:00 AM Lender <a@example.com> wrote:\n{OURS}\n\nYes, Friday.", "Yes, Friday."),
        ("> Can you pay on Friday?\nYes.\n> All of it?\nHalf.", "Yes.\nHalf."),
        ("Ana\n-- \nExample Ltd\n\n> old\nno", "Ana\nno"),
    ],
)
def test_answers_below_and_between_quotes_are_kept(reply: str, own: str) -> None:
    assert [line for line in words_of(reply).split("\n") if line.strip()] == own.split("\n")


@pytest.mark.parametrize(
    "own",
    [
        "On Friday I will pay and my sister wrote: fine",
        "From now on please call me",
        "De acuerdo: pago el viernes",
        "To: be honest I cannot pay",
        "I will pay 40 - 50 dollars\n--- thanks",
        "在周五我会还款",
        "El lunes pago",
        "Sent the money yesterday",
        "I am sent from pillar to post",
        "stop\nall of it",
        "",
    ],
)
def test_words_that_look_like_a_quote_stay(own: str) -> None:
    assert words_of(own) == own


def test_html_of_mail_programs_is_cut_where_they_mark_the_quote() -> None:
    quotes = [
        '<div class="gmail_quote"><div class="gmail_attr">On Tue Lender wrote:</div><blockquote>STOP</blockquote></div>',
        '<blockquote type="cite"><div>STOP</div></blockquote>',
        '<div id="appendonsend"></div><hr><div id="divRplyFwdMsg"><b>From:</b> Lender</div><div>STOP</div>',
        '<div id="yahoo_quoted_1" class="yahoo_quoted">On Tuesday Lender wrote: STOP</div>',
        '<div class="moz-cite-prefix">On 10/03/2026 Lender wrote:</div><blockquote cite="mid:x">STOP</blockquote>',
        '<div style="border:none;border-top:solid #E1E1E1 1.0pt"><p><b>From:</b> Lender</p><p>STOP</p></div>',
        '<div id="isReplyContent">STOP</div>',
        "<includetail>------------------ 原始邮件 ------------------<br>STOP</includetail>",
    ]
    for quote in quotes:
        assert words_of_html(f"<html><body><div>I can pay<br>on Friday.</div>{quote}</body></html>").strip() == (
            "I can pay\non Friday."
        )


def test_an_address_in_angle_brackets_is_no_tag() -> None:
    assert words_of_html("<p>Write to <ana@example.com> please</p>").strip() == "Write to <ana@example.com> please"


@given(st.text(max_size=400) | st.lists(st.sampled_from([*AROUND.values(), "yes", "> no", "-- ", ""])).map("\n".join))
@settings(max_examples=150, deadline=None)
def test_doing_it_twice_changes_nothing_and_nothing_is_invented(text: str) -> None:
    own = words_of(text)
    assert words_of(own) == own
    assert len(own) <= MAX_REPLY
    assert set(own.split("\n")) <= {*text.replace("\r\n", "\n").replace("\r", "\n").split("\n"), ""}
    words_of_html(text)
