"""The few words that decide where shape does not: names of fields, tags, greetings; no language is complete.

A field word is what a writer puts where a fact is still to come ("company", "prénom", 会社名). A tag word is what
recruiters put in brackets on purpose ("Remote", "CDI", 急募). All are compared by ``fold.key``.
"""

from __future__ import annotations

from functools import cache

from sequences_mcp.guards.fold import key
from sequences_mcp.guards.lazy import Lazy

_FIELDS = """
en: name first last firstname lastname fullname forename surname company companyname companies employer organisation
 organization startup team role job jobtitle title position location city country address candidate candidatename
 recruiter recruitername sender recipient contact prospect lead client customer user username email mail phone
 telephone number mobile date day time timeslot slot month year years salary amount budget range link url website
 calendly calendar signature project projects stack skill skills technology industry sector topic subject detail
 details hook icebreaker intro introduction reason achievement experience school university department manager
 insert add personalise personalize personalized personalised placeholder example value text paragraph sentence
 line fname lname job tbd tbc tba todo undefined null none optional
fr: prenom nom nomprenom entreprise societe poste intitule metier lieu ville pays adresse candidat candidate
 recruteur lien fiche date jour heure creneau salaire montant fourchette projet competence secteur exemple accroche
 detail details completer remplir ajouter inserer personnaliser signature telephone courriel
de: vorname nachname name firma firmenname firmennamen unternehmen unternehmensname unternehmens arbeitgeber stelle stellentitel
 jobtitel position standort ort stadt land adresse kandidat bewerber recruiter link datum tag uhrzeit termin gehalt
 betrag projekt thema beispiel einfugen erganzen ausfullen ansprechpartner telefon telefonnummer
es: nombre apellido apellidos empresa compania puesto cargo vacante ubicacion ciudad pais candidato reclutador enlace
 fecha dia hora salario importe proyecto tema ejemplo insertar anadir rellenar completar telefono correo
it: nome cognome azienda societa ruolo posizione sede citta paese candidato selezionatore collegamento data giorno
 ora stipendio importo progetto esempio inserire aggiungere completare
pt: nome sobrenome apelido empresa cargo vaga funcao local localizacao cidade pais candidato recrutador data dia
 hora salario valor projeto exemplo inserir adicionar preencher
nl: voornaam achternaam naam bedrijf bedrijfsnaam functie functietitel vacature locatie plaats stad land kandidaat
 datum dag tijd salaris bedrag voorbeeld invullen toevoegen
pl: imie nazwisko firma firmy nazwa stanowisko stanowiska lokalizacja miasto kraj kandydat rekruter odnosnik data
 dzien godzina wynagrodzenie kwota projekt przykład uzupelnic wstawic dodac
ru: имя фамилия компания компании название должность должности вакансия город страна кандидат ссылка дата время зарплата
 сумма проект вставить добавить
ja: 会社名 御社名 貴社名 企業名 氏名 お名前 名前 姓 名 姓名 苗字 担当者名 役職 役職名 職種 職種名 職名 ポジション名 部署名 求人名 勤務地 場所 年収
 日付 日時 時間 リンク 候補者名 候補者 件名 案件名 プロジェクト名 学校名 連絡先 電話番号 具体的なプロジェクト 株式会社名 要記入 記入
zh: 公司 公司名 公司名称 公司名稱 企业名称 企業名稱 姓名 名字 姓氏 您的姓名 你的名字 职位 職位 职位名称 職位名稱 岗位 岗位名称 地点 地點 城市 日期 时间 時間 薪资
 薪資 链接 連結 候选人 候選人 候选人姓名 项目名称 电话 填写
ko: 이름 성명 성함 회사 회사명 기업명 직무 직책 직급 포지션 위치 지역 날짜 시간 연봉 링크 후보자 후보자명 지원자명
ar: الاسم اسم الأول الاول الأخير العائلة الشركة شركة اسم_الشركة المنصب الوظيفة وظيفة الموقع المدينة المرشح الرابط رابط التاريخ تاريخ الراتب
he: שם השם החברה חברה תפקיד התפקיד מיקום עיר קישור תאריך שכר המועמד מועמד פרטי משפחה
hi: नाम कंपनी पद स्थान शहर लिंक तारीख वेतन उम्मीदवार
"""
_GLUE = """
a an the your my our their his her its this that of to for from in on at or and with by here is be
le la les l un une de d du des votre notre son sa au aux en ou et a pour vers sur ici
der die das des dem den ein eine einer ihr ihre ihres zur zum von vom mit und oder fur hier
el los las lo su tu del al una y o para con aqui il lo gli i della dello dell dei delle tuo sua suo per e
o os as do da dos das seu sua no na em het een van uw jouw je voor naar op of en w na do lub i z
x y n 1 2 3 4 5 का की के
"""
_TAGS = """
remote fullremote hybrid hybride onsite urgent hiring new nouveau nouvelle neu nuevo update updated confidential
confidentiel vertraulich cdi cdd freelance alternance stage stagiaire interim internship intern praktikum werkstudent
junior senior mid lead staff fulltime parttime full part time teilzeit vollzeit teletravail homeoffice contract
permanent temporary permanente presencial remoto remota hibrido ibrido smart working unbefristet befristet fixe
paris london berlin madrid emea apac dach usa europe france germany deutschland spain uk eu
english french german spanish italian dutch anglais francais allemand deutsch englisch espanol ingles
external externe extern internal interne intern event webinar reminder rappel erinnerung
急募 正社員 契約社員 業務委託 副業 リモート リモート可 フルリモート 在宅 新着 重要 未経験可 急招 急聘 招聘 远程 遠端 全职 兼职 内推 重要 채용 긴급 급구 원격
재택 정규직 신입 경력 عاجل توظيف срочно удаленно удалённо דרוש דחוף
"""
_NAMES = """
name firstname lastname fullname companyname company jobtitle candidate recruiter nom prenom entreprise societe
vorname nachname firma firmenname unternehmen nombre apellido empresa nome cognome azienda voornaam achternaam
bedrijf bedrijfsnaam imie nazwisko имя фамилия компания 会社名 氏名 お名前 公司名称 姓名
"""
_WORD = Lazy(r"[^\W_]+")
_CAMEL = Lazy(r"(?<=[a-z])(?=[A-Z])")


@cache
def fields() -> frozenset[str]:
    """Return the field words of all languages."""
    return frozenset(key(word) for word in _FIELDS.split() if not word.endswith(":"))


@cache
def _glue() -> frozenset[str]:
    return frozenset(map(key, _GLUE.split()))


@cache
def tags() -> frozenset[str]:
    """Return the words recruiters put in brackets on purpose."""
    return frozenset(map(key, _TAGS.split()))


def words_of(phrase: str) -> list[str]:
    """Return the words of a phrase, of ``snake_case`` and of ``camelCase`` alike, by key."""
    return [word for part in _WORD.finditer(_CAMEL.sub(" ", phrase)) if (word := key(part[0]))]


def is_field(phrase: str) -> bool:
    """Say whether a phrase names a fact still to come: field words and small words, nothing else."""
    if len(phrase) > 80:
        return False
    whole = key(phrase)
    if whole in fields() or (len(whole) > 1 and whole.endswith(("名称", "会社名"))):
        return True
    words = words_of(phrase)
    return any(word in fields() for word in words) and all(word in fields() or word in _glue() for word in words)


@cache
def _names() -> frozenset[str]:
    return frozenset(map(key, _NAMES.split()))


def is_name(phrase: str) -> bool:
    """Say whether a phrase names a name still to come: as the text of a link that is an oversight."""
    words = words_of(phrase)
    return (
        is_field(phrase) and any(word in _names() for word in words) and not any(word in _glue() for word in words)
    )


def has_field(phrase: str) -> bool:
    """Say whether a field word occurs in a phrase."""
    return key(phrase) in fields() or any(word in fields() for word in words_of(phrase))


def is_tag(phrase: str) -> bool:
    """Say whether a phrase is made of tag words."""
    words = words_of(phrase)
    return bool(words) and (all(word in tags() for word in words) or key(phrase) in tags())
