/* What must hold of every answer that a replica could give. README.md names the properties. */
#define ANSWERS(p) (process[p].life && process[p].loaded && process[p].until)

inline look_at(p) {
  if
  :: ANSWERS(p) ->
     assert(!(acknowledged == REMOVAL && process[p].member != ABSENT));            /* P1 */
#ifndef ALLOW_ONLY
     assert((process[p].member != ABSENT) == present[process[p].applied]);         /* P4 */
     assert((process[p].member == ABSENT) == (process[p].rule == ABSENT));         /* P5 */
     assert(!(acknowledged == ADDITION && process[p].member == ABSENT));           /* P6 */
#endif
  :: else
  fi
}

inline look_at_all() {
  look_at(0);
#if REPLICAS > 1
  look_at(1);
#endif
}
