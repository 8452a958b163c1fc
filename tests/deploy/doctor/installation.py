"""The variables of an installation that is right, as `make up` writes them, with changes."""

from functools import cache

from deploy.configuration import Addresses, Secrets, console_environment, environment
from shared.contracts.topology import Service

PUBLIC_URL = "https://iam.example"


@cache
def secrets():
    return Secrets.generate()


@cache
def _right():
    found: dict[str, str] = {}
    for service in Service:
        at = Addresses(
            mongo_url=f"mongodb://{service}:s3cret@mongo:27017/?replicaSet=rs0&authSource=admin",
            amqp_url=f"amqp://{service}:s3cret@rabbitmq/",
            public_url=PUBLIC_URL,
            internal_urls={name: [f"http://{name}:8081"] for name in Service},
            smtp_host="mail",
            smtp_port=1025,
        )
        found |= environment(service, given=secrets(), at=at)
    api_url = "http://gateway-inside:8082"
    return found | console_environment(given=secrets(), public_url=PUBLIC_URL, api_url=api_url)


def variables(**changes):
    """All variables; one that is changed to an empty text is missing."""
    return {name: value for name, value in (_right() | changes).items() if value}
