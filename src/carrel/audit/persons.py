"""Words for people: who somebody is to an application is seldom called a user."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["gives_caller", "is_person", "person_in", "says_of_person"]

_PEOPLE: Final = frozenset(
    {"user", "member", "customer", "patient", "employee", "student", "pupil", "subscriber", "policyholder", "rider",
     "traveller", "traveler", "passenger", "borrower", "tenant", "merchant", "guest", "citizen", "taxpayer",
     "resident", "person", "cardholder", "shopper", "buyer", "visitor", "recipient", "applicant", "learner", "donor",
     "insured", "beneficiary", "client", "bidder", "shipper", "cashier", "clinician", "lawyer", "nurse", "doctor",
     "driver", "player", "owner", "account", "holder", "principal", "caller", "reader", "participant", "analyst",
     "seller", "tutor", "teacher", "lodger", "landlord", "investor", "claimant", "debtor", "attendee", "physician",
     "therapist", "attorney", "reporter", "journalist", "courier", "volunteer", "freelancer", "contractor", "dealer",
     "commuter", "cyclist", "hiker", "athlete", "voter", "householder", "homeowner", "leaseholder", "licensee"}
)  # fmt: skip
_NUMBERS: Final = frozenset({"id", "no", "nr", "number", "uid", "uuid", "ref", "pk", "sub"})
"""Words after that of a person that make it a number of theirs."""
_THINGS: Final = frozenset({"client", "reader", "driver", "player", "caller", "account", "owner"})
"""Those of them that are the names of parts of a program too."""
_VAGUE: Final = _THINGS | {"holder", "subscriber", "visitor", "learner", "recipient", "participant", "analyst",
                           "person", "guest", "insured", "reporter", "merchant", "resident", "contractor"}  # fmt: skip
"""Words that more often mean something else where nothing else says that it is a person."""
_TOLD: Final = frozenset({"email", "phone", "mobile", "iban", "ssn", "birthday", "salary", "passport",
                          "allergies", "symptoms", "diagnosis", "diagnoses", "medication"})  # fmt: skip
"""What is told of nobody but a person."""
_CAMEL: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_CURRENT: Final = re.compile(
    r"(?i)_?(?:(?:get|require|load)_)*(?:current|verified|authenticated|signed_in|logged_in)(?:_(?:active_)?(\w+))?$"
)


def person_in(name: str) -> str:
    """The word for a person that a name ends in, before a number of theirs: `traveller` of `traveller_id`; or `""`."""
    words = _CAMEL.sub("_", name).lower().replace("-", "_").strip("_").split("_")
    if len(words) > 1 and words[-1] in _NUMBERS:
        words = words[:-1]
    return words[-1] if words[-1] in _PEOPLE else ""


def says_of_person(name: str) -> bool:
    """Whether an attribute of this name is a person, or what is told of one: `visit.patient`, `visit.phone`."""
    person = person_in(name)
    return (bool(person) and person not in _THINGS) or is_private(name)


def is_person(name: str) -> bool:
    """Whether a name alone says that its value is a person, or a number of theirs: `student_id`."""
    person = person_in(name)
    return bool(person) and person not in _VAGUE


def gives_caller(name: str) -> bool:
    """Whether a function's name says that it gives who is asking: `current_reader`, `signed_in`, `CurrentUser`."""
    current = _CURRENT.match(_CAMEL.sub("_", name))
    return current is not None and (not current[1] or bool(person_in(current[1])))


def is_private(name: str) -> bool:
    """Whether it names what is told of nobody but a person, and is not for others: `patient_phone`, `allergies`."""
    return name.lower().rpartition("_")[2] in _TOLD
