/* What the source's database does by itself: replication, failover, deletions, a restore. */
proctype Database() {
  do
  /* a commit reaches a majority */
#ifdef LAG
  :: d_step { durable < head -> durable = head }
#endif
  /* a new primary: what no majority had is undone */
#ifdef FAILOVER
  :: d_step { durable < head ->
       head = durable;
       n = 0;
       do
       :: n >= WRITERS -> break
       :: else ->
          if
          :: writer[n].step == COMMITTED && writer[n].at > durable -> idle(n)
          :: writer[n].step == FOUND && writer[n].claim > durable -> writer[n].claim = UNDONE
          :: else
          fi;
          n++
       od;
       n = 0 }
#endif
#ifdef HIDDEN_W
  :: d_step { HAS(unseen, 1) -> row[1] = LEASE; unseen = WITHOUT(unseen, 1) }
#if LIVES > 1
  :: d_step { HAS(unseen, 2) -> row[2] = LEASE; unseen = WITHOUT(unseen, 2) }
#endif
#endif
  /* RELEASE arrives, or never does */
#define RELEASED(life) \
  :: d_step { HAS(ending, life) -> release_row(life); ending = WITHOUT(ending, life) } \
  :: d_step { HAS(ending, life) -> ending = WITHOUT(ending, life) }
  RELEASED(1)
#if LIVES > 1
  RELEASED(2)
#endif
#if LIVES > 2
  RELEASED(3)
#endif
  od
}

#ifdef SWEEPER
/* Deletes the rows of lives that are silent for longer than any lease. */
proctype Sweeper() {
  do
  :: d_step { !sweeping ->
       sweeping = 1; sweep_left = TTL + MARGIN; n = 1;
       do
       :: n > ROWS -> break
       :: else -> if :: row[n] == LEASE -> swept = swept | BIT(n) :: else fi; n++
       od;
       n = 0 }
#define SWEEP(x) :: d_step { sweeping && sweep_left == 0 && row[x] == LEASE && SWEEPS(x) -> delete_row(x); swept = WITHOUT(swept, x) }
#ifdef SWEEPANY
#define SWEEPS(x) true
#else
#define SWEEPS(x) HAS(swept, x)
#endif
  SWEEP(1)
#if ROWS > 1
  SWEEP(2)
#endif
#if ROWS > 2
  SWEEP(3)
#endif
  :: d_step { sweeping && sweep_left == 0 -> sweeping = 0; swept = 0 }
  od
}
#endif

#ifdef RESTORE
/* The database is set to an earlier moment, in the same epoch, after an outage longer than a lease. */
inline restore_to(b) {
  backup = b; restored = 1;
  lost_row = 1; lost_present = present[backup + 1];
  if :: touched[head] > backup -> acknowledged = 0 :: else fi;
  n = 0;
  do
  :: n >= REPLICAS -> break
  :: else ->
     process[n].astray = process[n].applied > backup;
     process[n].got1 = 0; process[n].got2 = 0; process[n].page = 0;
     process[n].from = 0; process[n].read1 = 0; process[n].read2 = 0;
     n++
  od;
  n = backup + 1;
  do :: n > CHANGES -> break :: else -> present[n] = 0; touched[n] = 0; n++ od;
  n = 0;
  do :: n >= WRITERS -> break :: else -> idle(n); n++ od;
  n = 0;
  head = backup; durable = backup
}

#define QUIET (process[0].until == 0 && process[0].grants[0] == 0 && process[0].grants[1] == 0 && \
               process[0].grants[CHANGES] == 0 && call[0].step == UNUSED && call[CALLS - 1].step == UNUSED && \
               (!process[0].loaded || process[0].member == AS_OF(process[0].applied) && process[0].rule == AS_OF(process[0].applied)))
#define AS_OF(c) (present[c] -> touched[c] : ABSENT)

proctype Restore() {
  do
  :: d_step { !restored && durable > 0 && QUIET -> restore_to(durable - 1) }
#if CHANGES > 1
  :: d_step { !restored && durable > 1 && QUIET -> restore_to(durable - 2) }
#endif
  od
}
#endif
