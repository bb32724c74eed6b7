"""Texts in ten scripts and kinds of writing of which a token holds least."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from itertools import count


def _digest(number: int) -> bytes:
    return sha256(str(number).encode()).digest()


def _of(letters: str) -> str:
    """Return 12,000 of these letters in an order that is the same each time."""
    found = "".join(letters[byte % len(letters)] for number in range(375) for byte in _digest(number))
    return found[:12_000]


def _words(*words: str) -> str:
    """Return these words, and again in other orders, until there are 12,000 letters."""
    found: list[str] = []
    for number in count():
        found += [words[byte % len(words)] for byte in _digest(number)]
        if sum(map(len, found)) > 12_000:
            return " ".join(found)[:12_000]
    raise AssertionError


WORST = {
    "am": _words("የሰው", "ልጅ", "ሁሉ", "ሲወለድ", "ነጻና", "በክብርና", "በመብትም", "እኩልነት", "ያለው", "ነው።"),
    "my": _words("လူတိုင်းသည်", "တူညီ", "လွတ်လပ်သော", "ဂုဏ်သိက္ခာဖြင့်", "လည်းကောင်း၊", "မွေးဖွားလာသူများ"),
    "km": _words("មនុស្សទាំងអស់", "កើតមកមានសេរីភាព", "និងសមភាព", "ក្នុងសេចក្ដីថ្លៃថ្នូរ", "និងសិទ្ធិ"),
    "emoji": _words("👩🏾‍✈️", "🚀", "👨‍👩‍👧‍👦", "🇩🇪", "❤️", "🥳", "👍🏽", "🦩", "🫠"),
    "digits": _of("0123456789 "),
    "signs": _of("!#$%&()*+,-./:;<=>?@[]^_{|}~§±¶"),
    "zh": _words("人人生而自由", "在尊严和权利上", "一律平等", "他们赋有理性和良心", "并应以兄弟关系的精神相对待"),
    "ar": _words("يولد", "جميع", "الناس", "أحرارًا", "متساوين", "في", "الكرامة", "والحقوق", "وقد", "وهبوا"),
    "th": _words("มนุษย์ทั้งหลาย", "เกิดมามีอิสระ", "และเสมอภาคกัน", "ในเกียรติศักดิ์", "และสิทธิ"),
    "base64": b64encode(b"".join(map(_digest, range(300)))).decode()[:12_000],
}
ORDINARY = {
    "en": _words("Thank", "you", "for", "writing", "to", "me", "about", "this", "position", "in", "your", "team,"),
    "de": _words(
        "Vielen", "Dank", "für", "Ihre", "Nachricht", "zu", "dieser", "Stelle", "im", "Team", "und", "das"
    ),
    "pl": _words("Dziękuję", "za", "wiadomość", "dotyczącą", "tego", "stanowiska", "w", "Państwa", "zespole,"),
    "fi": _words(
        "Kiitos", "viestistänne", "koskien", "tätä", "tehtävää", "tiimissänne,", "olisin", "kiinnostunut"
    ),
    "ru": _words("Спасибо", "за", "ваше", "письмо", "об", "этой", "должности", "в", "вашей", "команде,", "я"),
    "ja": _words("ご連絡", "ありがとうございます。", "この", "職種", "について", "もう少し", "詳しく", "知りたい"),
    "ko": _words("연락", "주셔서", "감사합니다.", "이", "직무에", "대해", "더", "자세히", "알고", "싶습니다."),
    "hi": _words("सभी", "मनुष्यों", "को", "गौरव", "और", "अधिकारों", "के", "मामले", "में", "जन्मजात", "स्वतन्त्रता"),
}
