/* A lease request: at the replica, on its way, and at the source. */
inline unawaited(c) {
  c.awaited = 0; c.left = 0;
  if :: c.step > SENT -> free(c) :: else fi
}

#ifdef REWOUND
#define WENT_BACK(c) (c.heads < c.saw)
#else
#define WENT_BACK(c) 0
#endif
#ifdef NODIGEST
#define OTHER_HISTORY(p, c) 0
#else
#define OTHER_HISTORY(p, c) (ASTRAY(p) && process[p].applied == c.heads)
#endif
#ifdef EAGER
#define CAUGHT_UP(p, c) true
#else
#define CAUGHT_UP(p, c) (process[p].applied >= c.heads)
#endif

/* JournalView.granted; an answer counts from the time when its request was sent. */
inline granted(p, c) {
#ifdef FROMREPLY
  c.left = TTL;
#endif
  if
  :: WENT_BACK(c) || OTHER_HISTORY(p, c) -> reload(p)
  :: else ->
     if
     :: c.left == 0
     :: c.left > 0 && process[p].loaded && CAUGHT_UP(p, c) -> renew(p, c.left)
     :: else ->
        if :: c.left > process[p].grants[c.heads] -> process[p].grants[c.heads] = c.left :: else fi
     fi;
     free(c)
  fi
}

#ifdef NOLIFE
#define MAY_ASK(p) process[p].life
#else
#define MAY_ASK(p) (process[p].life && process[p].loaded)
#endif
#define FIRST(p) call[p * CALLS]
#define LAST(p) call[p * CALLS + CALLS - 1]
#define mine call[p * CALLS + i]
#define other call[p * CALLS + 1 - i]

proctype LeaseCall(byte p; byte i) {
  do
  /* sent; the loop of a follower sends one at a time */
  :: d_step { MAY_ASK(p) && mine.step == UNUSED && !FIRST(p).awaited && !LAST(p).awaited ->
       mine.step = SENT; mine.life = process[p].life; mine.left = TTL; mine.awaited = 1;
#ifdef MIXEDTTL
       if :: other.step > UNUSED -> other.earlier = 1 :: else fi;
       mine.held = process[p].until; n = 0;
       do
       :: n > CHANGES -> break
       :: else -> if :: process[p].grants[n] > mine.held -> mine.held = process[p].grants[n] :: else fi; n++
       od;
       n = 0;
#endif
#ifdef REWOUND
       mine.saw = process[p].applied
#endif
     }
#if CALLS > 1
  /* no answer for a while: the same request goes to another process of the source */
  :: d_step { mine.awaited && other.step == UNUSED ->
       other.step = SENT; other.life = mine.life; other.left = mine.left; other.awaited = 1;
#ifdef MIXEDTTL
       other.held = mine.held; other.earlier = mine.earlier; other.repeated = mine.step > SENT;
#endif
#ifdef REWOUND
       other.saw = mine.saw;
#endif
       unawaited(mine) }
#endif
  /* the replica gives up; the request or its answer is lost */
  :: d_step { mine.awaited -> unawaited(mine) }
  :: d_step { mine.step > UNUSED -> free(mine) }
  /* Leases.grant: the row, then the heads */
#ifdef HEADSFIRST
  :: d_step { mine.step == SENT && mine.heads == 0 -> mine.heads = durable + 1 }
  :: d_step { mine.step == SENT && mine.heads > 0 -> put_row(mine, TTL);
       if :: mine.step == WRITTEN -> mine.step = ANSWERED; mine.heads-- :: else fi }
#else
  :: d_step { mine.step == SENT -> put_row(mine, TTL) }
#ifdef MIXEDTTL
  :: d_step { mine.step == SENT -> put_row(mine, BRIEF) }
#endif
  :: d_step { mine.step == WRITTEN -> mine.heads = durable; mine.step = ANSWERED }
#endif
  :: d_step { mine.step == ANSWERED && mine.awaited && process[p].life -> granted(p, mine); look_at_all() }
  od
}
