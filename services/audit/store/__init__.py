"""The collections of audit in MongoDB."""

from services.audit.store.checkpoint_deliveries import CheckpointDeliveryRows
from services.audit.store.erasures import ErasureRows
from services.audit.store.marks import MarkRows
from services.audit.store.own_rows import OwnRows
from services.audit.store.people import PeopleRows
from services.audit.store.records import RecordRows
from services.audit.store.reports import ReportRows
from services.audit.store.retention import RetentionRows
from services.audit.store.saved_searches import SavedSearchRows
from services.audit.store.seal_gaps import SealGapRows
from services.audit.store.streams import StreamRows
from services.audit.store.trees import TreeRows
from services.audit.store.usage import UsageRows
from shared.mongo import Database

__all__ = ["Store"]


class Store(
    RecordRows,
    PeopleRows,
    MarkRows,
    ReportRows,
    TreeRows,
    SealGapRows,
    UsageRows,
    CheckpointDeliveryRows,
    RetentionRows,
    ErasureRows,
    OwnRows,
    StreamRows,
    SavedSearchRows,
):
    """Every collection of audit."""

    def __init__(self, database: Database) -> None:
        RecordRows.__init__(self, database)
        PeopleRows.__init__(self, database)
        MarkRows.__init__(self, database)
        ReportRows.__init__(self, database)
        TreeRows.__init__(self, database)
        CheckpointDeliveryRows.__init__(self, database)
        SealGapRows.__init__(self, database)
        UsageRows.__init__(self, database)
        RetentionRows.__init__(self, database)
        ErasureRows.__init__(self, database)
        OwnRows.__init__(self, database)
        StreamRows.__init__(self, database)
        SavedSearchRows.__init__(self, database)
