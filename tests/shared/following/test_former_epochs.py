"""Tests of telling a former epoch from one that a replica has not learned of."""

from shared.following.former_epochs import MAX_NAMED, FormerEpochs


def test_an_epoch_is_over_when_the_source_tells_another_one_afterwards():
    epochs = FormerEpochs()
    assert not epochs.over("e1", present="e2", asked=4), "nothing was told"
    epochs.told(5, "e2")
    assert epochs.over("e1", present="e2", asked=5)


def test_an_answer_to_an_earlier_request_does_not_count():
    """The source may have begun the named epoch after it read its answer."""
    epochs = FormerEpochs()
    epochs.told(4, "e1")
    assert not epochs.over("e2", present="e1", asked=5)
    epochs.told(5, "e1")
    assert not epochs.over("e2", present="e1", asked=5)


def test_a_late_answer_does_not_replace_a_newer_one():
    epochs = FormerEpochs()
    assert not epochs.over("e2", present="e1", asked=5)
    epochs.told(7, "e2")
    epochs.told(6, "e1")
    assert not epochs.over("e2", present="e1", asked=5)


def test_a_replica_of_the_former_epoch_does_not_answer_for_the_new_one():
    epochs = FormerEpochs()
    assert not epochs.over("e2", present="e1", asked=5)
    epochs.told(6, "e2")
    for present in ("e1", None, "e2"):
        assert not epochs.over("e2", present=present, asked=5)
    assert not epochs.over("e1", present=None, asked=5), "nothing is loaded"
    assert epochs.over("e1", present="e2", asked=5)


def test_an_epoch_that_was_named_before_needs_no_second_request():
    epochs = FormerEpochs()
    assert not epochs.over("e1", present="e2", asked=5)
    epochs.told(6, "e2")
    assert epochs.over("e1", present="e2", asked=9)


def test_only_the_last_named_epochs_are_kept():
    epochs = FormerEpochs()
    epochs.over("e1", present="e2", asked=5)
    for number in range(MAX_NAMED):
        epochs.over(f"x{number}", present="e2", asked=5)
    epochs.told(6, "e2")
    assert not epochs.over("e1", present="e2", asked=9), "it was forgotten"
    epochs.told(10, "e2")
    assert epochs.over("e1", present="e2", asked=9)
