# ruff: noqa: INP001
"""Make examples/portfolio.csv and examples/bad_portfolio.csv: fictional borrowers, the same ones on every run.

    python examples/make_portfolio.py

Nobody in these files exists, and no number in them can ring:

- United States: NPA-555-0100 to 0199, kept for fiction in every area code (ATIS Industry Numbering Committee, 555 NXX
  assignment guidelines).
- United Kingdom: 07700 900000 to 900999, 020 7946 0000 to 0999 and the like, kept for drama (Ofcom, "Telephone numbers
  for use in TV and radio drama programmes").
- Mexico, China and India keep no numbers for fiction. The numbers here have the right length, so that they read as
  possible numbers, and start with digits that no subscriber number starts with as far as could be found out:
  Mexico: area code, then a local number that starts with 01 (0 and 1 are prefixes there, not first digits of local
  numbers); China: 129 0555 xxxx (mobile series start with 13 to 19; no series starts with 129, nor is 129 a short
  code); India: 50005 5xxxx (mobile series start with 6 to 9, and 500 is no area code). For China and India the metadata
  of the phonenumbers package, 9.0.43, also knows no allotted series there.
- Mailboxes are under example.com and under .test, which nobody can register (RFC 2606).
"""

import csv
import random
from collections import defaultdict
from collections.abc import Iterator
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path

import yaml

from outreach.domain.book_lines import COLUMNS, REQUIRED_COLUMNS
from outreach.domain.places import clock_of, place_of

HERE = Path(__file__).parent
START_ON = date(2027, 3, 1)
"""The Monday on which the demo begins; days past due are counted from it."""

CREDITOR = "harbour"
HEADER = (
    "borrower_id", "given_name", "family_name", "birth_year", "locale", "country", "subdivision", "postcode", "city",
    "address_line", "time_zone", "account_id", "product", "creditor", "currency", "balance", "amount_due", "due_on",
    "phone_1", "phone_1_label", "phone_2", "phone_2_label", "email_1", "email_2", "consents",
)  # fmt: skip
Row = dict[str, str]

# state, city, ZIP code
US = """
AL Birmingham 35203|AL Mobile 36602|AK Anchorage 99501|AK Adak 99546|AZ Phoenix 85004|AZ Tucson 85701|AZ Tuba City 86045
AR Little Rock 72201|CA Los Angeles 90012|CA San Diego 92101|CA Sacramento 95814|CA Fresno 93721|CO Denver 80202
CT Hartford 06103|DE Wilmington 19801|DC Washington 20001|FL Miami 33130|FL Orlando 32801|FL Pensacola 32502
FL Port St. Joe 32456|GA Atlanta 30303|HI Honolulu 96813|HI Hilo 96720|ID Boise 83702|ID Coeur d'Alene 83814
IL Chicago 60602|IL Springfield 62701|IN Indianapolis 46204|IN Gary 46402|IN Evansville 47708|IN South Bend 46601
IN Knox 46534|IA Des Moines 50309|KS Wichita 67202|KS Goodland 67735|KY Louisville 40202|KY Bowling Green 42101
LA New Orleans 70112|ME Portland 04101|MD Baltimore 21202|MA Boston 02108|MI Detroit 48226|MI Iron Mountain 49801
MN Minneapolis 55401|MS Jackson 39201|MO Kansas City 64106|MO St. Louis 63101|MT Billings 59101|NE Omaha 68102
NE Scottsbluff 69361|NV Las Vegas 89101|NV Elko 89801|NH Concord 03301|NJ Newark 07102|NM Albuquerque 87102
NY New York 10007|NY Buffalo 14202|NC Charlotte 28202|ND Fargo 58102|ND Dickinson 58601|OH Columbus 43215
OH Cleveland 44113|OK Tulsa 74103|OR Portland 97204|OR Ontario 97914|PA Philadelphia 19107|PA Pittsburgh 15222
PR San Juan 00901|RI Providence 02903|SC Columbia 29201|SD Sioux Falls 57104|SD Rapid City 57701|TN Nashville 37201
TN Knoxville 37902|TN Memphis 38103|TX Houston 77002|TX Dallas 75201|TX El Paso 79901|TX San Antonio 78205
UT Salt Lake City 84101|VT Burlington 05401|VA Richmond 23219|WA Seattle 98104|WA Spokane 99201|WV Charleston 25301
WI Milwaukee 53202|WY Cheyenne 82001
"""
GB = """
ENG London SW1A 9ZZ|ENG Leeds LS1 9ZZ|ENG Birmingham B1 9ZZ|ENG Manchester M1 9ZZ|SCT Edinburgh EH1 9ZZ
SCT Glasgow G1 9ZZ|WLS Cardiff CF10 9ZZ|NIR Belfast BT1 9ZZ
"""
IN = """
MH Mumbai 400001|MH Pune 411001|DL New Delhi 110001|KA Bengaluru 560001|TN Chennai 600001|WB Kolkata 700001
GJ Ahmedabad 380001|KL Kochi 682001|RJ Jaipur 302001|UP Lucknow 226001
"""
CN = """
BJ 北京 100005|SH 上海 200001|GD 广州 510030|GD 深圳 518001|ZJ 杭州 310001
SC 成都 610015|HB 武汉 430014|XJ 乌鲁木齐 830002|SN 西安 710002|LN 沈阳 110013
"""
MX = """
CMX Ciudad de México 06000|JAL Guadalajara 44100|NLE Monterrey 64000|BCN Tijuana 22000|ROO Cancún 77500
SON Hermosillo 83000|SIN Culiacán 80000|CHH Ciudad Juárez 32000|YUC Mérida 97000|PUE Puebla 72000
"""
MX_AREAS = {
    "CMX": "55", "JAL": "33", "NLE": "81", "BCN": "664", "ROO": "998", "SON": "662", "SIN": "667", "CHH": "656",
    "YUC": "999", "PUE": "222",
}  # fmt: skip

ENGLISH = (
    """
Ada Amos Avery Beatrix Callum Clara Dale Edith Ellis Esme Felix Flora Gideon Hazel Hugo Iris Ivor Jonah June Kit
Leo Lydia Mabel Miles Nora Otis Pearl Quinn Rhoda Rufus Silas Sybil Tess Theo Una Violet Wade Willa Wren Zeke
    """,
    """
Ashdown Barlow Birchall Brightwell Calloway Cartmel Dunmore Eastlake Fairweather Fenwick Garland Hargrove
Hathersage Ivers Kingsley Lockhart Marlowe Merriweather Northcote Oakes Pemberton Quill Ravensworth Redfern
Sandiford Seabrook Thackeray Underhill Vance Wetherby Whitlock Winterbourne Yardley
    """,
)
SPANISH = (
    """
Alma Amparo Benito Camila Celia Darío Elena Emilio Esteban Fermín Gael Graciela Inés Iván Jacinta Joaquín Lourdes
Luz Maite Matías Nadia Octavio Paloma Ramiro Renata Rocío Rufino Salma Tomás Úrsula Valeria Xóchitl Yolanda Zulema
    """,
    """
Aguirre Arellano Barrientos Cárdenas Casillas Cisneros Delgadillo Escamilla Figueroa Galindo Hinojosa Ibarra Jurado
Lozano Montaño Negrete Ocampo Palomares Quintanilla Rentería Saldívar Tejeda Urrutia Villaseñor Yáñez Zamudio
    """,
)
INDIAN = (
    """
Aarav Aditi Anand Asha Bhavna Chirag Deepa Devika Farhan Gauri Harsh Indira Ishaan Jaya Kabir Kavita Lata Manish
Meera Nikhil Padma Pranav Radha Ravi Rekha Sahil Shreya Tara Uday Vandana Vikram Yamini Zoya
    """,
    """
Acharya Banerjee Bhatt Chatterjee Deshpande Fernandes Gowda Iyer Joshi Kapadia Kulkarni Malhotra Menon Naidu Oberoi
Pillai Qureshi Rao Saxena Shetty Thakur Upadhyay Varghese Wadhwa
    """,
)
CHINESE = (
    """
安琪 博文 采薇 丹丹 芳菲 国栋 海燕 佳宁 静怡 俊杰 可欣 丽华 明远 梦洁 念慈 佩玲 清扬 荣华
思远 天宇 婉清 晓峰 雅琴 一鸣 雨桐 泽楷 志强 子涵
    """,
    """
白 蔡 陈 程 戴 邓 范 方 冯 高 顾 郭 韩 何 侯 胡 黄 贾 江 金 孔 赖 雷 李 梁 林 刘 卢
罗 马 孟 潘 彭 秦 邱 任 沈 宋 苏 孙 谭 唐 王 魏 吴
    """,
)
NAMES = {"en": ENGLISH, "es": SPANISH, "in": INDIAN, "zh": CHINESE}
STREETS = {
    "US": "{n} Larkspur Avenue|{n} Old Mill Road|{n} Juniper Street|{n} Harvest Lane|{n} Copperfield Drive",
    "GB": "{n} Larch Close|{n} Mill Lane|{n} Quayside|{n} Orchard Terrace",
    "IN": "{n} Lake View Road|{n} Temple Street|{n} Station Road|{n} Garden Layout",
    "CN": "人民路{n}号|解放街{n}号|和平巷{n}号|青年路{n}号",
    "MX": "Calle Jacaranda {n}|Avenida de los Fresnos {n}|Calle del Molino {n}|Privada Bugambilias {n}",
}
# product, smallest and largest installment in major units
PRODUCTS = {
    "US": ("USD", [("personal_loan", 90, 480), ("credit_card", 25, 220), ("auto_loan", 180, 640)]),
    "GB": ("GBP", [("personal_loan", 60, 320), ("credit_card", 15, 160)]),
    "IN": ("INR", [("personal_loan", 2200, 14000), ("two_wheeler_loan", 1500, 5200)]),
    "CN": ("CNY", [("personal_loan", 400, 3200), ("credit_card", 150, 2600)]),
    "MX": ("MXN", [("personal_loan", 700, 5200), ("credit_card", 250, 2600)]),
}
SIZES = {"US": 1_180, "GB": 240, "IN": 260, "CN": 280, "MX": 260}


class Numbers:
    """Hands out numbers of the reserved series, each once."""

    def __init__(self, dice: random.Random) -> None:
        self._dice = dice
        self._given: defaultdict[str, int] = defaultdict(int)
        listed = yaml.safe_load((HERE.parent / "outreach/domain/data/area_codes.yaml").read_text(encoding="utf-8"))
        self.areas = {place.removeprefix("US-"): codes for place, codes in listed.items() if place.startswith("US-")}

    def _next(self, series: str) -> int:
        self._given[series] += 1
        return self._given[series] - 1

    def us(self, state: str) -> str:
        """Return NPA-555-01xx of an area code of ``state``."""
        area = self._dice.choice([code for code in self.areas[state] if self._given[code] < 100])
        return f"+1{area}55501{self._next(area):02d}"

    def of(self, country: str, subdivision: str) -> str:
        """Return a mobile number of ``country``."""
        match country:
            case "US":
                return self.us(subdivision)
            case "GB":
                return f"+447700900{self._next('gb'):03d}"
            case "IN":
                return f"+9150005{50_000 + self._next('in'):05d}"
            case "CN":
                return f"+861290555{self._next('cn'):04d}"
            case _:
                area = MX_AREAS[subdivision]
                return f"+52{area}01{self._next(area):0{8 - len(area)}d}"

    def fixed(self, country: str, subdivision: str) -> str:
        """Return a second number: a fixed line where one is kept for fiction."""
        return f"+442079460{self._next('london'):03d}" if country == "GB" else self.of(country, subdivision)


def places(listed: str) -> list[tuple[str, str, str]]:
    """Split a list of places into (subdivision, city, postcode)."""
    found = []
    for item in listed.strip().replace("\n", "|").split("|"):
        subdivision, rest = item.split(" ", 1)
        city, postcode = rest.rsplit(" ", 2 if subdivision in {"ENG", "SCT", "WLS", "NIR"} else 1)[0], ""
        postcode = rest.removeprefix(city).strip()
        found.append((subdivision, city, postcode))
    return found


PLACES = {"US": places(US), "GB": places(GB), "IN": places(IN), "CN": places(CN), "MX": places(MX)}


def locale_of(dice: random.Random, country: str) -> tuple[str, str]:
    """Return a locale and the list that names come from."""
    match country:
        case "US":
            return dice.choices([("en-US", "en"), ("es-US", "es"), ("zh-CN", "zh")], [74, 22, 4])[0]
        case "GB":
            return "en-GB", "en"
        case "IN":
            return "en-GB", "in"
        case "CN":
            return "zh-CN", "zh"
        case _:
            return "es-MX", "es"


def person(dice: random.Random, number: int, country: str, numbers: Numbers) -> Row:
    """Return a borrower with contact points and consents, without an account."""
    # Every place is met in turn, so that each zone and state is there; after that they are drawn.
    known = PLACES[country]
    subdivision, city, postcode = known[number] if number < len(known) else dice.choice(known)
    locale, kind = locale_of(dice, country)
    given, family = (dice.choice(names.split()) for names in NAMES[kind])
    row = dict.fromkeys(HEADER, "") | {
        "borrower_id": f"{country}-{number + 1:05d}", "given_name": given, "family_name": family,
        "birth_year": str(dice.randint(1948, 2006)), "locale": locale, "country": country, "subdivision": subdivision,
        "postcode": postcode, "city": city,
        "address_line": dice.choice(STREETS[country].split("|")).format(n=dice.randint(1, 240)),
    }  # fmt: skip
    if postcode == "32456":
        row["time_zone"] = "America/New_York"
    reach(dice, row, numbers)
    row["consents"] = consents(dice)
    return row


def reach(dice: random.Random, row: Row, numbers: Numbers) -> None:
    """Fill in numbers and mailboxes: mostly one of each, now and then none."""
    country, subdivision = row["country"], row["subdivision"]
    luck = dice.random()
    if luck > 0.03:
        away = country == "US" and dice.random() < 0.08
        state = far_state(dice, numbers, subdivision, row["postcode"]) if away else subdivision
        row["phone_1"], row["phone_1_label"] = numbers.of(country, state), "mobile"
        if dice.random() < 0.12:
            row["phone_2"] = numbers.fixed(country, subdivision)
            row["phone_2_label"] = dice.choice(["home", "home", "work"])
    if luck > 0.005 and (luck <= 0.03 or dice.random() < 0.82):
        row["email_1"] = f"{row['borrower_id'].lower()}@{dice.choice(['example.com', 'example.com', 'mail.test'])}"
        if dice.random() < 0.04:
            row["email_2"] = f"{row['borrower_id'].lower()}.work@example.com"


def far_state(dice: random.Random, numbers: Numbers, subdivision: str, postcode: str) -> str:
    """Return a state none of whose clocks is a clock of this address: a number kept after a move."""
    here = {clock_of(zone) for zone in place_of("US", f"US-{subdivision}", postcode).zones}
    far = [
        state
        for state in numbers.areas
        if state not in {"AS", "GU", "MP"}
        and not here & {clock_of(zone) for zone in place_of("US", f"US-{state}", None).zones}
    ]
    return dice.choice(far)


def consents(dice: random.Random) -> str:
    """Return a consents column: mostly SMS and email, some without SMS, a few revoked or about to end."""
    given = START_ON - timedelta(days=dice.randint(30, 700))
    luck = dice.random()
    if luck < 0.09:
        return f"email:given:{given}"
    if luck < 0.11:
        return f"sms:given:{given};sms:revoked:{given + timedelta(days=20)};email:given:{given}"
    if luck < 0.14:
        return f"sms:given:{given}:{START_ON + timedelta(days=dice.randint(3, 20))};email:given:{given}"
    written = f"sms:given:{given};email:given:{given}"
    return f"{written};voice:given:{given};ivr:given:{given}" if luck < 0.8 else written


def accounts(dice: random.Random, who: Row) -> Iterator[Row]:
    """Yield one row for each account, one to five of them."""
    currency, products = PRODUCTS[who["country"]]
    for number in range(dice.choices([1, 2, 3, 4, 5], [82, 12, 4, 1, 1])[0]):
        product, lowest, highest = dice.choice(products)
        amount = dice.randint(lowest * 100, highest * 100)
        past_due = dice.choices(range(-5, 31), [6] * 6 + [3] * 10 + [1] * 20)[0]
        yield who | {
            "account_id": f"{who['borrower_id']}-{number + 1}", "product": product, "creditor": CREDITOR,
            "currency": currency, "balance": f"{amount * dice.randint(2, 36) / 100:.2f}",
            "amount_due": f"{amount / 100:.2f}", "due_on": str(START_ON - timedelta(days=past_due)),
        }  # fmt: skip


def household(dice: random.Random, rows: list[Row]) -> None:
    """Let some borrowers live at the address, and share the telephone, of the borrower before them."""
    for before, row in pairwise(rows):
        if before["country"] == row["country"] and before["phone_1"] and dice.random() < 0.025:
            shared = ("family_name", "subdivision", "postcode", "city", "address_line", "time_zone", "phone_1")
            row.update({name: before[name] for name in (*shared, "phone_1_label", "locale")})


def portfolio() -> list[Row]:
    """Return every row of the book."""
    dice = random.Random(20270301)  # noqa: S311 - the same book every time is the purpose
    numbers = Numbers(dice)
    people = [person(dice, number, country, numbers) for country, size in SIZES.items() for number in range(size)]
    household(dice, people)
    return [row for who in people for row in accounts(dice, who)]


def main() -> None:
    """Write both files next to this script."""
    if not set(REQUIRED_COLUMNS) <= set(HEADER) <= set(COLUMNS):
        raise SystemExit("the columns of the import have changed; change HEADER")
    with (HERE / "portfolio.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, HEADER, lineterminator="\n")
        writer.writeheader()
        writer.writerows(portfolio())
    (HERE / "bad_portfolio.csv").write_bytes(bad_portfolio())


GOOD = {
    "given_name": "Ada", "family_name": "Barlow", "birth_year": "1980", "locale": "en-US", "country": "US",
    "subdivision": "NY", "postcode": "10007", "city": "New York", "address_line": "1 Juniper Street",
    "product": "personal_loan", "creditor": CREDITOR, "currency": "USD", "balance": "1200.00", "amount_due": "100.00",
    "due_on": "2027-03-01", "phone_1": "+12125550143", "phone_1_label": "mobile", "email_1": "ada@example.com",
    "consents": "sms:given:2026-01-03",
}  # fmt: skip
# One line of the bad book for each: what is wrong with it.
FAULTS: list[Row] = [
    {}, {"borrower_id": ""}, {"locale": "english"}, {"country": "USA"}, {"subdivision": "NX"},
    {"time_zone": "America/New York"}, {"birth_year": "1880"}, {"currency": "USDOLLAR"}, {"amount_due": "-5.00"},
    {"amount_due": "1,200.00"}, {"balance": "10.005"}, {"due_on": "2027-02-30"}, {"due_on": "03/01/2027"},
    {"due_on": "9999-01-01"}, {"phone_1": "555-0143"}, {"phone_1": "+1 202 555 01434"}, {"phone_1": "+999 5550143"},
    {"phone_1": "call my sister"}, {"phone_1_label": "mobil"}, {"email_1": "ada(at)example.com"},
    {"email_1": "ada@example"}, {"consents": "sms"}, {"consents": "smoke:given:2026-01-03"},
    {"consents": "sms:given:2030-01-03"}, {"consents": "sms:given:2026-01-03:2025-01-03"}, {"given_name": "A" * 101},
    {"city": "New\u202eYork"}, {"address_line": "1 Juniper\0Street"},
]  # fmt: skip


def bad_portfolio() -> bytes:
    """Return a book with every kind of fault; its first line and its last are sound."""
    lines = [",".join(HEADER)]
    for number, fault in enumerate(FAULTS, 1):
        lines.append(_line({"borrower_id": f"BAD-{number:02d}", "account_id": f"BAD-{number:02d}-1"} | fault))
    lines.append("BAD-40,too,few,fields")
    lines.append(_line({"borrower_id": "BAD-41", "account_id": "BAD-41-1", "given_name": "#"}).replace("#", '"Ada'))
    lines.append(_line({"borrower_id": "BAD-42", "account_id": "BAD-42-1", "given_name": "#"}).replace("#", '"A"da'))
    lines.append(_line({"borrower_id": "BAD-43", "account_id": "BAD-43-1"}))
    lines.append(_line({"borrower_id": "BAD-43", "account_id": "BAD-43-2", "postcode": "90012"}))
    lines.append(_line({"borrower_id": "BAD-44", "account_id": "BAD-44-1"}))
    lines.append(_line({"borrower_id": "BAD-44", "account_id": "BAD-44-1"}))
    lines.append(_line({"borrower_id": "BAD-45", "account_id": "BAD-45-1"}))
    lines.append(_line({"borrower_id": "BAD-46", "account_id": "BAD-45-1"}))
    text = "\n".join(lines).encode()
    latin = _line({"borrower_id": "BAD-47", "account_id": "BAD-47-1", "given_name": "José"}).encode("latin-1")
    last = _line({"borrower_id": "BAD-48", "account_id": "BAD-48-1"}).encode()
    return b"\n".join([text, latin, last, b""])


def _line(fault: Row) -> str:
    row = dict.fromkeys(HEADER, "") | GOOD | fault
    quoted = (f'"{value}"' if "," in value else value for value in row.values())
    return ",".join(quoted)


if __name__ == "__main__":
    main()
