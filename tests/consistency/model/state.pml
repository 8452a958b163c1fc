/* The state of the source, of the replicas, and of the requests under way.
 *
 * The log is one. Everything up to `durable` is with a majority, and `head` is the primary's end.
 * A change concerns the member and their override (two rows that form one change), or neither.
 */
byte head, durable;
bit  present[CHANGES + 1];      /* whether the member is there as of a change */
byte touched[CHANGES + 1];      /* the last change up to this one that concerns the member */

#define NONE  0
#define LEASE 1
#define ENDED 2                 /* the mark of a life that gave its lease back */
byte row[ROWS + 1];             /* by life, from 1 */
byte told[LIVES + 1];           /* the most that a life ever reported as applied */
byte ended;                     /* the lives whose RELEASE has arrived */
byte ending;                    /* the lives whose RELEASE is under way */
byte born;                      /* how many lives there have been */
#ifdef ROWPERSLOT
byte owner;                     /* the life that the only row belongs to */
#endif
#ifdef HIDDEN_W
byte unseen;                    /* lives whose row others do not see yet */
#endif
#ifdef MIXEDTTL
byte row_ttl[ROWS + 1];
#endif
#ifdef SWEEPER
byte swept, sweep_left;         /* the rows that the sweeper has read and that were not renewed since */
bit  sweeping;
#endif
#ifdef RESTORE
bit  restored;
byte backup;                    /* where the two histories part */
bit  lost_row, lost_present;    /* OLDROWS: the first row of the history that was lost */
#endif

typedef Process {
  byte life;                    /* 0: the process is down */
  bit  loaded;
  byte applied, member, rule;   /* the state: the revisions of the member and of their override */
  byte got1, got2;              /* buffered rows: the member's and the override's, a bit for each change */
  byte until;                   /* ticks for which it may answer */
  byte grants[CHANGES + 1];     /* ticks of the grants that wait for their heads */
  byte page, from, read1, read2 /* a snapshot under way: next page, its heads, what was read */
#ifdef RESTORE
  ; bit astray                  /* what is applied is not this database's history */
#endif
};
Process process[REPLICAS];


#define UNUSED   0
#define SENT     1
#define WRITTEN  2              /* the row is with a majority */
#define ANSWERED 3              /* the heads are read */
typedef Call {
  byte step, life, left, heads;
  bit  awaited                  /* the replica waits for the answer to this one */
#ifdef MIXEDTTL
  ; byte held;                  /* ticks that earlier grants may still last */
  bit earlier,                  /* it has a lower number than the request that is awaited */
      overtaken, repeated       /* the row has a higher number; the same number */
#endif
#ifdef REWOUND
  ; byte saw                    /* what was applied when it was sent */
#endif
};
Call call[REPLICAS * CALLS];

inline free(c) {
  c.step = UNUSED; c.life = 0; c.left = 0; c.heads = 0; c.awaited = 0;
#ifdef MIXEDTTL
  c.held = 0; c.earlier = 0; c.overtaken = 0; c.repeated = 0;
#endif
#ifdef REWOUND
  c.saw = 0
#endif
}


#define IDLE      0
#define COMMITTED 1             /* the primary has it */
#define FOUND     2             /* refused: the transaction saw the change made */
#define READ      3             /* to read the lease rows */
#define WAIT      4
#define EXPIRED   5
#define REMOVAL  1
#define ADDITION 2
#define UNRELATED 3
typedef Writer {
  byte step, does, left;
  byte claim;                   /* the change that its answer vouches for */
  byte at;                      /* the position that every replica must have */
  byte wait;                    /* the rows that are waited for */
  byte same                     /* of these, the rows that were not renewed since */
#ifdef ROWPERSLOT
  ; byte owner
#endif
#ifdef HIDDEN_R
  ; byte early                  /* the rows as of the time before the commit */
#endif
};
Writer writer[WRITERS];

byte acknowledged;              /* REMOVAL or ADDITION: the last answer about the member that still stands */

inline idle(b) {
  writer[b].step = IDLE; writer[b].does = 0; writer[b].left = 0; writer[b].claim = 0;
  writer[b].at = 0; writer[b].wait = 0; writer[b].same = 0;
#ifdef ROWPERSLOT
  writer[b].owner = 0;
#endif
#ifdef HIDDEN_R
  writer[b].early = 0;
#endif
}
