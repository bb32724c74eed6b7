"""What the columns of a file hold: by their names in ten languages, and in the exports of other products."""

from __future__ import annotations

import pytest
from tests.world.product import Bureau

from sequences_mcp.errors import InvalidArgumentsError
from sequences_mcp.importing.columns import EXPORTS, TARGETS, mapped_columns
from sequences_mcp.importing.people import PeopleFile, country_code
from sequences_mcp.importing.tables import open_table
from sequences_mcp.services.imports import look_through, read_people_file

LANGUAGES = {
    "English": "E-mail address,First name,Last name,Company,Job title,Phone number,Country,City",
    "German": "E-Mail-Adresse,Vorname,Nachname,Unternehmen,Berufsbezeichnung,Telefonnummer,Land,Stadt",
    "French": "Adresse e-mail,Prénom,Nom,Société,Fonction,Téléphone,Pays,Ville",
    "Spanish": "Correo electrónico,Nombre,Apellidos,Empresa,Puesto,Teléfono móvil,País,Ciudad",
    "Portuguese": "Correio eletrónico,Primeiro nome,Apelido,Empresa,Função,Telemóvel,País,Cidade",
    "Italian": "Indirizzo email,Nome,Cognome,Azienda,Ruolo,Cellulare,Paese,Città",
    "Dutch": "E-mailadres,Voornaam,Achternaam,Bedrijf,Functie,Telefoonnummer,Land,Woonplaats",
    "Polish": "Adres e-mail,Imię,Nazwisko,Nazwa firmy,Stanowisko,Numer telefonu,Kraj,Miasto",
    "Swedish": "E-postadress,Förnamn,Efternamn,Företag,Befattning,Mobilnummer,Land,Ort",
    "Japanese": "メールアドレス,名,姓,会社名,役職,電話番号,国,市区町村",
}
HELD = ["email", "first_name", "last_name", "company", "job_title", "phone", "country", "city"]


@pytest.mark.parametrize("header", LANGUAGES.values(), ids=LANGUAGES.keys())
def test_columns_are_known_by_their_names_in_ten_languages(header: str) -> None:
    columns = mapped_columns(header.split(",")).columns
    assert [column.target for column in columns] == HELD
    shouted = mapped_columns(header.upper().replace(" ", "_").split(",")).columns
    assert [column.target for column in shouted] == HELD


def test_a_name_beside_a_first_name_is_the_last_name_and_alone_it_is_both() -> None:
    assert [column.target for column in mapped_columns(["Name", "Vorname"]).columns] == ["last_name", "first_name"]
    assert [column.target for column in mapped_columns(["Name", "Email"]).columns] == ["full_name", "email"]


# ruff: noqa: E501 - lines of files, as they are
# Header and a row of each export, as the products' help pages list them.
SAMPLES = {
    "LinkedIn connections": (
        'Notes:\n"When exporting your connection data, you may notice that some addresses are missing."\n\n'
        "First Name,Last Name,URL,Email Address,Company,Position,Connected On\n"
        "Grace,Hopper,https://www.linkedin.com/in/grace,grace@hopper.example,Navy,Rear Admiral,27 Nov 2026\n"
    ),
    "Google Contacts": (
        "First Name,Middle Name,Last Name,Phonetic First Name,Name Prefix,Nickname,File As,Organization Name,"
        "Organization Title,Organization Department,Birthday,Notes,Photo,Labels,E-mail 1 - Label,E-mail 1 - Value,"
        "Phone 1 - Label,Phone 1 - Value,Address 1 - Label,Address 1 - City,Address 1 - Country,Website 1 - Value\n"
        "Grace,,Hopper,,,,,Navy,Rear Admiral,,,,,* myContacts,Work,grace@hopper.example ::: g@x.example,Mobile,"
        "+1 202-555-0123,Work,Arlington,US,https://navy.example/\n"
    ),
    "Apollo": (
        "First Name,Last Name,Title,Company Name,Company Name for Emails,Email,Email Status,Seniority,Departments,"
        "Contact Owner,Work Direct Phone,Home Phone,Mobile Phone,Corporate Phone,# Employees,Industry,Keywords,"
        "Person Linkedin Url,Website,Company Linkedin Url,City,State,Country,Company City,Company Country,"
        "Apollo Contact Id\n"
        "Grace,Hopper,Rear Admiral,The Navy Inc.,Navy,grace@hopper.example,Verified,Executive,Engineering,me@x.example,,,"
        "'+12025550123,+12025550000,500,Defence,,http://www.linkedin.com/in/grace,https://www.navy.example,"
        "http://www.linkedin.com/company/navy,Arlington,Virginia,United States,Norfolk,United States,abc123\n"
    ),
    "HubSpot": (
        "Record ID,First Name,Last Name,Email,Phone Number,Contact owner,Associated Company,Lead Status,Job Title,City,"
        "State/Region,Country/Region,Website URL,Time Zone,Lifecycle Stage,Create Date\n"
        "151,Grace,Hopper,grace@hopper.example,+1 202 555 0123,Ada,Navy,New,Rear Admiral,Arlington,Virginia,"
        "United States,navy.example,america_slash_new_york,Lead,2026-11-02 10:11\n"
    ),
    "Smartlead": (
        "id,first_name,last_name,email,phone_number,company_name,website,location,custom_fields,linkedin_profile,"
        "company_url,is_unsubscribed,last_email_sequence_sent\n"
        '7,Grace,Hopper,grace@hopper.example,+12025550123,Navy,navy.example,"Arlington, Virginia","{""Title"":""x""}",'
        "https://linkedin.com/in/grace,navy.example,false,2\n"
    ),
    "Instantly": (
        "Email,First Name,Last Name,Company Name,Job Title,Phone,Website,Location,Linkedin,Personalization,Lead Status,"
        "Email Open Count\n"
        "grace@hopper.example,Grace,Hopper,Navy,Rear Admiral,+12025550123,navy.example,Arlington,"
        "linkedin.com/in/grace,Loved your talk,Contacted,3\n"
    ),
    "lemlist": (
        "email,firstName,lastName,companyName,jobTitle,phone,linkedinUrl,companyDomain,icebreaker,picture,emailStatus\n"
        "grace@hopper.example,Grace,Hopper,Navy,Rear Admiral,+12025550123,https://www.linkedin.com/in/grace,"
        "navy.example,I loved your talk,https://x.example/p.png,deliverable\n"
    ),
    "Greenhouse": (
        "First Name,Last Name,Company,Title,Email,Phone,Social Media,Website,Address,Source,Who gets credit,Job,Notes,"
        "Prospect Pool\n"
        'Grace,Hopper,Navy,Rear Admiral,grace@hopper.example,+12025550123,"https://twitter.com/g, '
        'https://www.linkedin.com/in/grace",navy.example,Arlington,Referral,Ada,Engineer,Met at a fair,Engineers\n'
    ),
    "Lever": (
        "Full-Name,Email,Phone,Date-Added,Stage,Archive-Reason,Archive-Date,Sources,Origin,Tags,Company,Location,Links\n"
        '"Grace Hopper","grace@hopper.example,g@x.example",+12025550123,2026-11-02,New Lead,,,Referral,Sourced,navy,Navy,'
        'Arlington,"https://github.com/g, https://www.linkedin.com/in/grace"\n'
    ),
    "sequences-mcp": (
        "contact_id,email,first_name,last_name,company,company_domain,job_title,phone,linkedin_url,location,country,"
        "found_at,notes,created_at,updated_at\n"
        "local:ct_1,grace@hopper.example,Grace,Hopper,Navy,navy.example,Rear Admiral,+12025550123,"
        "https://www.linkedin.com/in/grace,Arlington,US,2026-11-02,,2026-11-02T09:00:00Z,2026-11-02T09:00:00Z\n"
    ),
}


def test_there_is_a_sample_of_every_known_export() -> None:
    assert SAMPLES.keys() == {export.title for export in EXPORTS}


@pytest.mark.parametrize("title", SAMPLES)
async def test_an_export_of_another_product_is_recognised_and_read(bureau: Bureau, title: str) -> None:
    async with bureau.app() as app:
        file = await read_people_file(SAMPLES[title].encode())
        assert file.mapping.export == title
        preview = await look_through(app, file)
        assert preview.counts["made"] == 1, preview.lines
        [row] = file.rows()
    facts = {"first_name": "Grace", "last_name": "Hopper", "email": "grace@hopper.example", "company": "Navy"}
    assert {name: row.facts.get(name) for name in facts} == facts
    if title not in ("Google Contacts", "HubSpot"):
        assert "linkedin.com/in/grace" in row.facts["linkedin_url"]
    if title != "LinkedIn connections":
        assert "202" in row.facts["phone"]
    assert row.facts.get("company_domain", "navy.example") == "navy.example"
    assert row.facts.get("country", "US") == "US"
    assert row.facts.get("location", "Arlington").startswith("Arlington")


def test_what_a_person_says_of_a_column_goes_before_what_its_name_says() -> None:
    header = ["Mail", "Chef", "Mail"]
    assert [column.target for column in mapped_columns(header).columns] == ["email", "-", "email"]
    said = mapped_columns(header, chosen={"chef": "First name", "#3": "-"})
    assert [column.target for column in said.columns] == ["email", "first_name", "-"]


@pytest.mark.parametrize(
    ("chosen", "why"),
    [({"Nobody": "email"}, "no column 'Nobody'"), ({"Mail": "shoe size"}, "'shoe size' is nothing")],
)
def test_a_column_or_a_meaning_that_does_not_exist_is_named(chosen: dict[str, str], why: str) -> None:
    with pytest.raises(InvalidArgumentsError, match=why) as refused:
        mapped_columns(["Mail", "Chef"], chosen=chosen)
    assert "Mail" in refused.value.next_step or all(target in refused.value.next_step for target in TARGETS)


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("France", "FR"),
        ("Deutschland", "DE"),
        ("États-Unis", "US"),
        ("フランス", "FR"),
        ("Niemcy", "DE"),
        ("Verenigd Koninkrijk", "GB"),
        ("Estados Unidos", "US"),
        ("Sverige", "SE"),
        ("UK", "GB"),
        ("usa", "US"),
        ("fr", "FR"),
        ("Narnia", "Narnia"),
    ],
)
def test_a_country_is_known_by_its_name_in_many_languages(name: str, code: str) -> None:
    assert country_code(name) == code


NAMES = [
    ("Dr. med. Anna Weber", "Anna", "Weber"),
    ("Prof. Dr. h.c. Anna Weber", "Anna", "Weber"),
    ("Herrn Dipl.-Ing. Karl Weber", "Karl", "Weber"),
    ("Sra. Carmen Ruiz Díaz", "Carmen", "Ruiz Díaz"),
    ("Dott.ssa Anna Rossi", "Anna", "Rossi"),
    ("Mevrouw Anna de Vries", "Anna", "de Vries"),
    ("Pani Anna Nowak", "Anna", "Nowak"),
    ("Avv. Anna Rossi, LL.M.", "Anna", "Rossi"),
    ("Anna Rossi, MBA, PMP", "Anna", "Rossi"),
    ("Anna Rossi SHRM-CP", "Anna", "Rossi"),
    ("Rossi, Anna, Ph.D.", "Anna", "Rossi"),
    ("Miss Anna Weber", "Anna", "Weber"),
    ("Rev Anna Weber", "Anna", "Weber"),
    ("Phil Collins", "Phil", "Collins"),
    ("Don Draper", "Don", "Draper"),
    ("Sig Hansen", "Sig", "Hansen"),
    ("Ing-Marie Berg", "Ing-Marie", "Berg"),
    ("Yo-Yo Chen Ma", "Yo-Yo", "Chen Ma"),
    ("JACK YUN MA", "JACK", "YUN MA"),
    ("Maria Silva Neto", "Maria", "Silva Neto"),
    ("Martin King, Jr.", "Martin", "King Jr."),
    ("John Smith III", "John", "Smith III"),
    ("Mr Smith", "", "Smith"),
    ("Dr.", "Dr.", ""),
]


@pytest.mark.parametrize(("name", "first", "last"), NAMES)
def test_a_full_name_is_told_apart_without_the_titles_and_degrees_that_the_guards_know(
    name: str, first: str, last: str
) -> None:
    table = open_table(f'email,name\nanna@example.com,"{name}"\n'.encode())
    [row] = PeopleFile(table=table, mapping=mapped_columns(table.header)).rows()
    assert (row.facts.get("first_name", ""), row.facts.get("last_name", "")) == (first, last)
