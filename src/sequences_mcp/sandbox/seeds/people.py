"""The people of the sandbox: the same ones at all three vendors."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody invented. Numbers are from ranges that are set aside for stories."""

    first: str
    last: str
    company: str
    domain: str
    job: str
    city: str
    country: str
    has_email: bool = True
    has_linkedin: bool = True
    phone: str | None = None

    @property
    def slug(self) -> str:
        """A short name for ids."""
        return self.first.lower()

    @property
    def address(self) -> str:
        """The person's e-mail address, whether or not a vendor knows it."""
        return f"{self.slug}@{self.domain}"

    @property
    def email(self) -> str | None:
        """The address a vendor knows."""
        return self.address if self.has_email else None

    @property
    def linkedin(self) -> str | None:
        """The person's profile."""
        return f"https://www.linkedin.com/in/{self.slug}-example" if self.has_linkedin else None


LOOM, MILL = ("Loom and Sons", "loom.example.com"), ("Millrace", "millrace.example.org")


def _at_loom(name: str, job: str, *, phone: str) -> Person:
    first, last = name.split()
    return Person(
        first=first,
        last=last,
        company=LOOM[0],
        domain=LOOM[1],
        job=job,
        city="Lyon",
        country="FR",
        phone=phone,
    )


INES = _at_loom("Ines Ferrand", "Staff Engineer", phone="+33639980101")
TOMAS = _at_loom("Tomas Novak", "Backend Engineer", phone="+33639980102")
PRIYA = Person(
    first="Priya",
    last="Raman",
    company=MILL[0],
    domain=MILL[1],
    job="Data Engineer",
    city="London",
    country="GB",
    phone="+447700900123",
)
OLUMIDE = Person(
    first="Olumide",
    last="Bello",
    company=MILL[0],
    domain=MILL[1],
    job="Platform Lead",
    city="London",
    country="GB",
    has_email=False,
)
SAOIRSE = Person(
    first="Saoirse",
    last="O’Brien",
    company="Harbour Nine",
    domain="harbour.example.com",
    job="Engineering Manager",
    city="Dublin",
    country="IE",
    has_linkedin=False,
)
YUKI = Person(
    first="Yuki",
    last="Tanabe",
    company="Paper Crane",
    domain="crane.example.org",
    job="Product Designer",
    city="Lisbon",
    country="PT",
)

PEOPLE = (INES, TOMAS, PRIYA, OLUMIDE, SAOIRSE, YUKI)
