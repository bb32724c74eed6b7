"""A value that names a fact or asks for it is refused in every spelling; names like it are left alone."""

from __future__ import annotations

import pytest

from sequences_mcp.domain.findings import Severity
from sequences_mcp.guards.check import check_text, check_value
from sequences_mcp.guards.fact_names import Certainty, unfilled

OBJECTS = ["contact", "recipient", "candidate", "lead", "prospect", "user", "person", "record.custom"]
FACTS = ["company", "company_name", "firstname", "first_name", "job_title", "jobTitle", "name"]
JOINS = [".", "_", "->", "::", ":", "/"]
WRITINGS = ["company_name", "COMPANY_NAME", "Company_Name", "company-name", "COMPANY-NAME", "Company-Name"]
WRITINGS += ["company.name", "Company.Name", "companyName", "CompanyName", "company__name", "company_name_1"]
WRITINGS += ["company:name", "company/name", "company->name", "companyName2", "$company_name", "@company_name"]
ASKED = """
    your company here | Your Company Here | YOUR COMPANY NAME HERE | your-company-here | your_company
    yourCompanyHere
    your company | your company name goes here | company name here | insert company | Insert Company Name
    insert your company here | fill in company | Fill in your job title | please enter your company
    enter your name
    type your company name here | add the company name here | [insert company] | "your company here"
    paste the company
    votre entreprise ici | Votre entreprise ici | votre entreprise | insérer le nom de l'entreprise
    Insérez votre nom
    saisir l'entreprise | compléter entreprise | nom de l'entreprise ici | ajoutez votre entreprise ici
    ihre firma hier | Ihre Firma hier | Ihr Unternehmen hier | firma einfügen | Firma eintragen
    Bitte Firmenname einfügen
    Ihren Namen hier eintragen | Firma hier einfügen | vorname ausfüllen | hier Firma einfügen
    deine firma hier
    tu empresa aquí | Su empresa aquí | su empresa | insertar empresa | Inserte el nombre de la empresa
    tu nombre aquí
    rellenar empresa | por favor complete su nombre
    la tua azienda qui | La tua azienda qui | il tuo nome qui | inserire azienda
    Inserisci il nome dell'azienda
    a sua empresa aqui | sua empresa aqui | o seu nome aqui | inserir empresa | Insira o nome da empresa
    preencher nome
    uw bedrijf hier | jouw bedrijf hier | bedrijf invullen | Vul hier uw bedrijf in | bedrijfsnaam hier invullen
    twoja firma tutaj | Twoja firma tutaj | wstaw firmę | Wpisz nazwę firmy | twoje imię tutaj
    ваша компания здесь | ваша компания | вставьте название компании | Введите имя | укажите компанию
    会社名を入力 | 会社名を記入してください | ここに会社名を入力 | 请填写公司 | 请输入您的姓名 | 您的公司
    회사명을 입력하세요
    """
REAL = {
    "candidateCompanyName": """
        Here | Here Technologies | HERE Technologies | Contact Energy | Contact | First Name Basis Ltd
        Name.com | Booking.com
        Your Company Formations Ltd | The Company | Job.com | Stellen.de | Lead Forensics | LeadIQ
        User Interviews
        UserTesting | Customer.io | Contact.io | user.com | lead.ai | Data Company | The Record Company
        Insert Coin
        Add Value | Typeform | Type One | Put.io | Write.as | Votre Nounou | Ihr Platz | Dein Design | Su Casa
        Die Firma | La Poste | Poste Italiane | Body Shop | Field Nation | Custom Ink | Current Health | Model N
        X-Company
        Budget Rent a Car | City Football Group | Nome da Rosa | Firma Oy | Company 3 | Company3
        Last Mile Health
        Project44 | Stack Overflow | Client-Server | contact-energy | name.de | MyHeritage | Ваш Дом
        株式会社会社
        """,
    "job_title": """
        Project Manager | Team-Lead | team lead | lead-recruiter | Customer Experience Manager
        customer-experience
        Contact Manager | Customer-Contact | User/Client | Client/Account Manager | Data Entry | Field Manager
        Recruiter / Sourcer | Projekt-Manager | Chef de projet | University Recruiter | Account Manager
        Mobile Lead
        """,
    "first_name": """
        Su Lin | Tu Anh | Ta Minh | Er Wei | Ton | Ana Su | Din | Seu Jorge | Uwe | Type | Hier | Vos
        """,
    "last_name": "De Vos | Vos de Wael | Land | Field | Day | Goes | Tag | Di Maria | Link",
    "location": "New York City | City of London | Quebec City | Mexico City | Ville de Paris | Land Berlin",
}


def split(table: str) -> list[str]:
    """Return the values of a table."""
    return [value.strip() for line in table.strip().split("\n") for value in line.split(" | ")]


def severities(name: str, value: str) -> set[Severity]:
    return {finding.severity for finding in check_value(name, value)}


@pytest.mark.parametrize("join", JOINS)
@pytest.mark.parametrize("of", OBJECTS)
def test_the_name_of_a_fact_is_refused_whatever_it_belongs_to(of: str, join: str) -> None:
    for fact in FACTS:
        for value in (f"{of}{join}{fact}", f"{of}{join}{fact}".upper(), f"{of.title()}{join}{fact.title()}"):
            for name in ("candidateCompanyName", "first_name", "job_title", "hook", "notes"):
                assert Severity.ERROR in severities(name, value), (name, value)


@pytest.mark.parametrize("value", WRITINGS)
def test_the_name_of_a_fact_is_refused_in_every_spelling(value: str) -> None:
    for name in ("candidateCompanyName", "job_title", "location", "hook"):
        assert Severity.ERROR in severities(name, value), name


@pytest.mark.parametrize("value", split(ASKED))
def test_a_request_for_a_fact_is_refused_in_every_language(value: str) -> None:
    for name in ("candidateCompanyName", "first_name", "hook"):
        assert Severity.ERROR in severities(name, value), name


@pytest.mark.parametrize(
    "value",
    [
        *("Company Name", "contact company", "Your Company", "Ihr Unternehmen", "Your Name", "Company Here"),
        *("name of company", "Name der Firma", "Recruiter firstname", "candidate first name"),
    ],
)
def test_words_that_a_company_could_call_itself_are_only_told_of(value: str) -> None:
    assert severities("candidateCompanyName", value) == {Severity.WARNING}


@pytest.mark.parametrize(("name", "value"), [(name, value) for name in REAL for value in split(REAL[name])])
def test_a_name_that_has_words_of_a_request_in_it_is_no_request(name: str, value: str) -> None:
    assert "values.placeholder" not in {finding.rule for finding in check_value(name, value)}
    assert Severity.ERROR not in severities(name, value)


@pytest.mark.parametrize(
    "value", ["contact.foo", "your dog here", "insert coin", "contact_", "here", "your", "_", "company"]
)
def test_what_names_no_fact_is_no_name_of_one(value: str) -> None:
    assert unfilled(value) is Certainty.NO


def test_a_value_too_long_to_be_a_request_is_none() -> None:
    assert unfilled(f"your company {'name ' * 17}") is not Certainty.NO
    assert unfilled(f"your company {'name ' * 18}") is Certainty.NO


ORDERS = """
    Bitte Firma einfügen | hier Firma einfügen | Firma hier einfügen | Nom de l'entreprise à insérer ici
    Insérer ici le nom de l'entreprise | Wstaw nazwę firmy | Inserir nome da empresa
    Inserire il nome dell'azienda | Insert company name. | Vul hier de bedrijfsnaam in
    Вставьте название компании | ここに会社名を入れる
"""


@pytest.mark.parametrize(
    "line", [line.strip() for line in ORDERS.replace("\n", " | ").split(" | ") if line.strip()]
)
def test_a_line_that_orders_somebody_to_put_a_fact_there_is_refused(line: str) -> None:
    found = check_text(f"Hi {{{{firstname}}}},\n\n{line}\n\nBest,\nAda", field="content")
    assert [finding.rule for finding in found] == ["placeholders.instruction"]


@pytest.mark.parametrize(
    "line",
    [
        "Insert {{candidateCompanyName}} here",
        "Insert role {{sourcingJobTitle}}",
        "Bitte Firma einfügen {{firstname}}",
        "please insertCompany here",
    ],
)
def test_an_order_stays_one_beside_a_variable_and_in_the_spelling_of_a_program(line: str) -> None:
    found = check_text(f"Hi,\n\n{line}\n\nBest,\nAda", field="content")
    assert "placeholders.instruction" in [finding.rule for finding in found]


@pytest.mark.parametrize(
    "line", ["Pick a slot here", "Fill in the form?", "Your name came up.", "We insert a company day"]
)
def test_a_line_that_asks_the_reader_for_something_is_left_alone(line: str) -> None:
    assert check_text(f"Hi {{{{firstname}}}},\n\n{line}\n\nBest,\nAda", field="content") == ()
