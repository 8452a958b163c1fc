"""All operations that the model knows."""

from tests.state_machine.account_operations import AccountOperations
from tests.state_machine.catalog_operations import CatalogOperations
from tests.state_machine.guardrail_operations import GuardrailOperations
from tests.state_machine.invitation_operations import InvitationOperations
from tests.state_machine.member_operations import MemberOperations
from tests.state_machine.ownership_operations import OwnershipOperations
from tests.state_machine.project_operations import ProjectOperations
from tests.state_machine.provisioning_operations import ProvisioningOperations
from tests.state_machine.resource_operations import ResourceOperations
from tests.state_machine.role_operations import RoleOperations


class Operations(
    AccountOperations,
    CatalogOperations,
    GuardrailOperations,
    InvitationOperations,
    MemberOperations,
    OwnershipOperations,
    ProjectOperations,
    ProvisioningOperations,
    ResourceOperations,
    RoleOperations,
):
    """The world, with everything that can be tried in it."""
