"""Types of the fields in request bodies."""

from typing import Annotated

from pydantic import AfterValidator, Field

# Long enough for every valid value; the domain says what is wrong with a value that fits.
Text = Annotated[str, Field(min_length=1, max_length=512)]
AccountIdText = Annotated[str, Field(pattern="^acc_[0-9a-f]{32}$")]
# RFC 6749, section 3.2: a parameter without a value counts as not sent.
OrOmitted = Annotated[str | None, AfterValidator(lambda text: text or None)]
