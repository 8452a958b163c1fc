/* How Rolecall acknowledges a removal: leases, barrier, journal and replicas, for one source and
 * one shard. README.md says what is in the model and what is not.
 *
 * A step is what the code does without an await in between. A stopped process, a slow link and a
 * lost message are steps that are not taken. Durations count down to 0, so time has no end. Rows
 * travel without a channel: what a majority has may arrive at any time.
 */
#include "bounds.pml"
#if defined(RESTORE) || defined(FORGED)
#define REWOUND                 /* heads can be below what a replica has applied */
#endif
#include "state.pml"
#include "properties.pml"
#include "rows.pml"
#include "replica.pml"
#include "lease_call.pml"
#include "writer.pml"
#include "database.pml"

#define TICK(x) if :: x > 0 -> x-- :: else fi

proctype Clock() {
  do
  :: d_step {
       n = 0;
       do :: n >= REPLICAS -> break :: else -> TICK(process[n].until); n++ od;
       n = 0;
       do
       :: n >= REPLICAS * (CHANGES + 1) -> break
       :: else -> TICK(process[n / (CHANGES + 1)].grants[n % (CHANGES + 1)]); n++
       od;
       n = 0;
       do
       :: n >= REPLICAS * CALLS -> break
       :: else ->
          TICK(call[n].left);
#ifdef MIXEDTTL
          TICK(call[n].held);
#endif
          n++
       od;
       n = 0;
       do :: n >= WRITERS -> break :: else -> TICK(writer[n].left); n++ od;
       n = 0;
#ifdef SWEEPER
       TICK(sweep_left)
#endif
     }
  od
}

init {
  d_step {
    present[0] = 1;
    n = 0;
    do
    :: n >= REPLICAS -> break
    :: else -> process[n].member = ABSENT; process[n].rule = ABSENT; n++
    od;
    n = 0
  }
  atomic {
    run Clock();
    run Database();
    run Replica(0);
    run LeaseCall(0, 0);
#if CALLS > 1
    run LeaseCall(0, 1);
#endif
#if REPLICAS > 1
    run Replica(1);
    run LeaseCall(1, 0);
#if CALLS > 1
    run LeaseCall(1, 1);
#endif
#endif
    run Request(0);
#if WRITERS > 1
    run Request(1);
#endif
#ifdef SWEEPER
    run Sweeper();
#endif
#ifdef RESTORE
    run Restore();
#endif
  }
}

#ifdef ENDS
ltl ends { [] ((writer[0].step == WAIT) -> <> (writer[0].step == IDLE)) }      /* P3 */
#endif
