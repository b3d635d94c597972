"""Who exists on this machine from the start: two tenants, their people, one connected network account."""

import hashlib
from dataclasses import dataclass


@dataclass(frozen=True)
class Person:
    """Someone who can sign in at the local issuer."""

    email: str
    name: str
    tenant: str
    role: str

    @property
    def subject(self) -> str:
        """The `sub` of the person's tokens: the same on every machine, and not the e-mail address."""
        return "user_" + hashlib.sha256(self.email.encode()).hexdigest()[:24]


TENANTS = {"acme": "Acme Studio", "contoso": "Contoso Travel"}
PEOPLE = (
    Person("owner@acme.test", "Olivia Owens", "acme", "owner"),
    Person("admin@acme.test", "Adam Adeyemi", "acme", "admin"),
    Person("editor@acme.test", "Edith Eriksen", "acme", "editor"),
    Person("viewer@acme.test", "Victor Vega", "acme", "viewer"),
    Person("owner@contoso.test", "Carla Conti", "contoso", "owner"),
)


class UnknownPerson(LookupError):
    """Nobody of that name can sign in here; the message lists who can."""


def person(email: str) -> Person:
    """The person with that e-mail address; raises UnknownPerson."""
    for each in PEOPLE:
        if each.email == email.strip().lower():
            return each
    raise UnknownPerson(f"there is no {email!r}; who exists: {', '.join(each.email for each in PEOPLE)}")
