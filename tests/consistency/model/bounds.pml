/* How much of everything there is, and what the switches of a configuration imply.
 *
 * A run gives bounds, worlds and defects with -D. README.md describes each of them.
 */
#ifndef REPLICAS
#define REPLICAS 1      /* processes that follow the source: of authz or team, in any slots */
#endif
#ifndef LIVES
#define LIVES 2         /* lives of all processes together */
#endif
#ifndef CALLS
#define CALLS 1         /* lease requests of one process under way, forsaken ones included */
#endif
#ifndef WRITERS
#define WRITERS 1       /* requests of admins under way */
#endif
#ifndef CHANGES
#define CHANGES 2       /* changes of the journal's one shard */
#endif
#ifndef TTL
#define TTL 2           /* ticks of a lease */
#endif
#ifndef MARGIN
#define MARGIN 0        /* of a barrier; all clocks of the model have one rate */
#endif

#define BRIEF 1         /* MIXEDTTL: the ttl that the other process of the source is configured with */
#define ABSENT 15       /* the revision of an object that does not exist */
#define UNDONE 14       /* FAILOVER: the position of a change that was undone */

#define BIT(x) (1 << (x))
#define HAS(set, x) ((set) & BIT(x))
#define WITHOUT(set, x) ((set) & (255 - BIT(x)))

#ifdef ROWPERSLOT
#define ROWS 1
#define AT(life) 1
#else
#define ROWS LIVES
#define AT(life) (life)
#endif

byte n;                 /* scratch; 0 between two steps */
