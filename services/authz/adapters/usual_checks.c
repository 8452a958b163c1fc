/* Decides usual checks: reads the body, looks up the state, tests the masks.

It answers nothing by itself that Python would answer in another way: what is not usual is left to
Python, which has every rule. `None` therefore means: not decided here. A check is usual if
- its body is ASCII without escapes, has only the members that are known here, each once, and no
  text that is empty or long,
- its subject is a `user` who is not disabled, an active member of an active account without
  external ids, demands and conditions that count for it,
- its resource is not registered, and its permission is known and not a right on one project.

All work is between two waits of the event loop. It keeps no state but the objects of `set_up`. */

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdint.h>
#include <string.h>

enum { LONGEST_TEXT = 1024, MOST_PROPERTIES = 16, SUBJECT = 1, ACTION = 2, RESOURCE = 4 };

typedef struct { const char *at; Py_ssize_t size; } Text;
typedef struct {
    Text subject, action, type, id, owner, project, account;
    int has;
} Item;
typedef struct { const char *at, *end; } Reader;

static PyObject *ACTIVE_ACCOUNT, *ACTIVE_MEMBER, *ORDINARY, *EMPTY;
static char TOKEN_PREFIX[16];
static Py_ssize_t TOKEN_PREFIX_SIZE;
static PyObject *S_status, *S_second_factor, *S_members, *S_get, *S_terms, *S_catalog,
    *S_permissions, *S_on_project, *S_project_scoped, *S_bit, *S_resources, *S_projects, *S_role,
    *S_all_mask, *S_self_mask, *S_conditional, *S_allowed, *S_missing, *S_owner_unknown,
    *S_not_owner, *S_expires_at, *S_overrides, *S_matrix;

/* ---- The body. Each function returns 1, or 0 for what is not usual. ---- */

static int is_text(Text text, const char *other) {
    return text.size == (Py_ssize_t)strlen(other) && memcmp(text.at, other, text.size) == 0;
}

static int same(Text one, Text other) {
    return one.size == other.size && memcmp(one.at, other.at, one.size) == 0;
}

static void skip_blanks(Reader *in) {
    while (in->at < in->end
           && (*in->at == ' ' || *in->at == '\n' || *in->at == '\r' || *in->at == '\t'))
        in->at++;
}

/* Take this character, with the blanks before it. */
static int take(Reader *in, char wanted) {
    skip_blanks(in);
    if (in->at >= in->end || *in->at != wanted) return 0;
    in->at++;
    return 1;
}

/* Take a string of printable ASCII without escapes, with the blanks before it. */
static int take_text(Reader *in, Text *text) {
    if (!take(in, '"')) return 0;
    const char *begin = in->at, *at = begin;
    while (at < in->end && *at != '"') {
        if (*at < ' ' || *at > '~' || *at == '\\') return 0; /* bytes from 0x80 on are negative */
        at++;
    }
    if (at >= in->end) return 0;
    text->at = begin;
    text->size = at - begin;
    in->at = at + 1;
    /* An API token is never an id: Python refuses it, and keeps it out of every log. */
    return text->size < TOKEN_PREFIX_SIZE
           || memcmp(begin, TOKEN_PREFIX, TOKEN_PREFIX_SIZE) != 0;
}

static int take_short(Reader *in, Text *text) {
    return text->at == NULL && take_text(in, text) && text->size > 0
           && text->size <= LONGEST_TEXT;
}

typedef int (*Member)(Reader *, Text, void *);

/* Take an object; `member` takes the value of each name. */
static int take_object(Reader *in, Member member, void *into) {
    if (!take(in, '{')) return 0;
    if (take(in, '}')) return 1;
    do {
        Text name;
        if (!take_text(in, &name) || !take(in, ':') || !member(in, name, into)) return 0;
    } while (take(in, ','));
    return take(in, '}');
}

typedef struct { Item *item; Text names[MOST_PROPERTIES]; int count; int of_resource; } Properties;

static int property(Reader *in, Text name, void *into) {
    Properties *all = into;
    Text value = {NULL, 0};
    for (int each = 0; each < all->count; each++)
        if (same(all->names[each], name)) return 0;
    if (all->count == MOST_PROPERTIES || !take_short(in, &value)) return 0;
    all->names[all->count++] = name;
    if (!all->of_resource) return !is_text(name, "session_id");
    if (is_text(name, "owner_id")) all->item->owner = value;
    else if (is_text(name, "project_id")) all->item->project = value;
    else if (is_text(name, "account_id")) all->item->account = value;
    return 1;
}

static int take_properties(Reader *in, Item *item, int of_resource) {
    Properties all = {.item = item, .count = 0, .of_resource = of_resource};
    return take_object(in, property, &all);
}

typedef struct { Item *item; Text type; int properties; } Entity;

static int of_subject(Reader *in, Text name, void *into) {
    Entity *entity = into;
    if (is_text(name, "type")) return take_short(in, &entity->type);
    if (is_text(name, "id")) return take_short(in, &entity->item->subject);
    return is_text(name, "properties") && !entity->properties++
           && take_properties(in, entity->item, 0);
}

static int of_action(Reader *in, Text name, void *into) {
    Item *item = into;
    return is_text(name, "name") && take_short(in, &item->action);
}

static int of_resource(Reader *in, Text name, void *into) {
    Entity *entity = into;
    if (is_text(name, "type")) return take_short(in, &entity->item->type);
    if (is_text(name, "id")) return take_short(in, &entity->item->id);
    return is_text(name, "properties") && !entity->properties++
           && take_properties(in, entity->item, 1);
}

/* Take the subject, the action or the resource of an evaluation. */
static int of_item(Reader *in, Text name, void *into) {
    Item *item = into;
    Entity entity = {.item = item};
    int taken;
    if (is_text(name, "subject")) {
        if (item->has & SUBJECT || !take_object(in, of_subject, &entity)) return 0;
        /* A catalog may name other types of subjects, which Python looks up. */
        if (!entity.type.at || !is_text(entity.type, "user") || !item->subject.at) return 0;
        taken = SUBJECT;
    } else if (is_text(name, "action")) {
        if (item->has & ACTION || !take_object(in, of_action, item) || !item->action.at) return 0;
        taken = ACTION;
    } else if (is_text(name, "resource")) {
        if (item->has & RESOURCE || !take_object(in, of_resource, &entity)) return 0;
        if (!item->type.at || !item->id.at) return 0;
        taken = RESOURCE;
    } else
        return 0;
    item->has |= taken;
    return 1;
}

typedef struct { Item defaults, *items; int count, most, listed; } Batch;

static int of_batch(Reader *in, Text name, void *into) {
    Batch *batch = into;
    if (!is_text(name, "evaluations")) return of_item(in, name, &batch->defaults);
    if (batch->listed++ || !take(in, '[')) return 0;
    do {
        if (batch->count == batch->most) return 0;
        Item *item = &batch->items[batch->count++];
        memset(item, 0, sizeof *item);
        if (!take_object(in, of_item, item)) return 0;
    } while (take(in, ','));
    return take(in, ']');
}

/* An evaluation has an entity of its own, or the default as a whole. */
static int complete(Item *item, const Item *defaults) {
    int missing = ~item->has & defaults->has;
    if (missing & SUBJECT) item->subject = defaults->subject;
    if (missing & ACTION) item->action = defaults->action;
    if (missing & RESOURCE) {
        item->type = defaults->type;
        item->id = defaults->id;
        item->owner = defaults->owner;
        item->project = defaults->project;
        item->account = defaults->account;
    }
    return (item->has | missing) == (SUBJECT | ACTION | RESOURCE) && item->account.at != NULL;
}

/* ---- The decision. Each function returns 1, 0 for what is not usual, or -1 with an error. ---- */

typedef struct {
    PyObject *accounts, *external, *disabled; /* borrowed from the arguments */
    Text account_text, user_text;
    PyObject *account_id, *account, *catalog, *members, *user_id, *member, *terms;
} Place;

static void clear_member(Place *place) {
    Py_CLEAR(place->user_id);
    Py_CLEAR(place->member);
    Py_CLEAR(place->terms);
}

static void clear_place(Place *place) {
    clear_member(place);
    Py_CLEAR(place->account_id);
    Py_CLEAR(place->account);
    Py_CLEAR(place->catalog);
    Py_CLEAR(place->members);
}

static PyObject *ascii(Text text) {
    PyObject *made = PyUnicode_New(text.size, 127);
    if (made) memcpy(PyUnicode_1BYTE_DATA(made), text.at, text.size);
    return made;
}

/* Whether an attribute is this object. */
static int is_attribute(PyObject *of, PyObject *name, PyObject *wanted) {
    PyObject *found = PyObject_GetAttr(of, name);
    if (!found) return -1;
    int is = found == wanted;
    Py_DECREF(found);
    return is;
}

/* A new reference to what a mapping has for a key; 0 if it has nothing. */
static int look_up(PyObject *mapping, PyObject *key, PyObject **found) {
    if (PyDict_CheckExact(mapping)) {
        *found = PyDict_GetItemWithError(mapping, key);
        Py_XINCREF(*found);
    } else {
        *found = PyObject_CallMethodOneArg(mapping, S_get, key);
        if (*found == Py_None) Py_CLEAR(*found);
    }
    return *found ? 1 : PyErr_Occurred() ? -1 : 0;
}

#define NEEDS(call)                    \
    do {                               \
        int needed = (call);           \
        if (needed <= 0) return needed; \
    } while (0)
#define NEEDS_NOT(call)                            \
    do {                                           \
        int found = (call);                        \
        if (found) return found < 0 ? found : 0;   \
    } while (0)
#define ATTRIBUTE(into, of, name)               \
    do {                                        \
        (into) = PyObject_GetAttr(of, name);    \
        if (!(into)) return -1;                 \
    } while (0)

static int find_account(Place *place, Text named) {
    clear_place(place);
    place->account_text = named;
    if (!(place->account_id = ascii(named))) return -1;
    NEEDS(look_up(place->accounts, place->account_id, &place->account));
    NEEDS_NOT(PyDict_Contains(place->external, place->account_id));
    NEEDS(is_attribute(place->account, S_status, ACTIVE_ACCOUNT));
    NEEDS(is_attribute(place->account, S_second_factor, Py_False));
    ATTRIBUTE(place->catalog, place->account, S_catalog);
    ATTRIBUTE(place->members, place->account, S_members);
    return 1;
}

static int find_member(Place *place, Text named) {
    clear_member(place);
    place->user_text = named;
    if (!(place->user_id = ascii(named))) return -1;
    NEEDS_NOT(PySet_Contains(place->disabled, place->user_id));
    NEEDS(look_up(place->members, place->user_id, &place->member));
    ATTRIBUTE(place->terms, place->member, S_terms);
    if (place->terms == ORDINARY) return 1;
    NEEDS(is_attribute(place->terms, S_status, ACTIVE_MEMBER));
    return is_attribute(place->terms, S_expires_at, Py_None);
}

static int find_place(Place *place, const Item *item) {
    if (!place->members || !same(place->account_text, item->account))
        NEEDS(find_account(place, item->account));
    if (!place->terms || !same(place->user_text, item->subject))
        NEEDS(find_member(place, item->subject));
    return 1;
}

/* Whether a mask has a bit. */
static int has_bit(PyObject *of, PyObject *name, PyObject *bit) {
    PyObject *mask = PyObject_GetAttr(of, name);
    if (!mask) return -1;
    PyObject *both = PyNumber_And(mask, bit);
    Py_DECREF(mask);
    if (!both) return -1;
    int has = PyObject_IsTrue(both);
    Py_DECREF(both);
    return has;
}

/* Whether the account has not registered this resource: its own fields would count. */
static int not_registered(Place *place, const Item *item) {
    PyObject *resources, *key, *found = NULL;
    ATTRIBUTE(resources, place->account, S_resources);
    int registered = 0;
    if (resources != EMPTY) {
        key = Py_BuildValue("(s#s#)", item->type.at, item->type.size, item->id.at, item->id.size);
        registered = key ? look_up(resources, key, &found) : -1;
        Py_XDECREF(key);
        Py_XDECREF(found);
    }
    Py_DECREF(resources);
    return registered < 0 ? registered : !registered;
}

/* The matrix inside a project: the override's if the member has one, else the role's. */
static int override_in(Place *place, PyObject *project_id, PyObject **matrix) {
    PyObject *overrides, *override = NULL;
    ATTRIBUTE(overrides, place->terms, S_overrides);
    int found = overrides == EMPTY ? 0 : look_up(overrides, project_id, &override);
    Py_DECREF(overrides);
    if (found <= 0) return found < 0 ? found : 1;
    int endless = is_attribute(override, S_expires_at, Py_None);
    if (endless > 0) {
        Py_SETREF(*matrix, PyObject_GetAttr(override, S_matrix));
        if (!*matrix) endless = -1;
    }
    Py_DECREF(override);
    return endless;
}

static int matrix_in(
    Place *place, PyObject *held, const Item *item, PyObject **project_id, PyObject **matrix
) {
    ATTRIBUTE(*matrix, place->member, S_role);
    if (!item->project.at) {
        *project_id = Py_NewRef(Py_None);
        return 1;
    }
    if (!(*project_id = ascii(item->project))) return -1;
    PyObject *projects;
    ATTRIBUTE(projects, place->account, S_projects);
    int known = PySequence_Contains(projects, *project_id);
    Py_DECREF(projects);
    NEEDS(known);
    if (place->terms == ORDINARY) return 1;
    int scoped = is_attribute(held, S_project_scoped, Py_True);
    if (scoped <= 0) return scoped < 0 ? scoped : 1;
    return override_in(place, *project_id, matrix);
}

/* Which of its decisions a matrix comes to: the name of its attribute. */
static int outcome(Place *place, const Item *item, PyObject *held, PyObject *matrix, PyObject **name) {
    PyObject *bit, *conditional;
    ATTRIBUTE(bit, held, S_bit);
    int everyones = has_bit(matrix, S_all_mask, bit);
    int own = everyones ? 0 : has_bit(matrix, S_self_mask, bit);
    Py_DECREF(bit);
    if (everyones < 0 || own < 0) return -1;
    if (everyones || (own && item->owner.at && same(item->owner, place->user_text))) {
        *name = S_allowed;
        return 1;
    }
    *name = !own ? S_missing : item->owner.at ? S_not_owner : S_owner_unknown;
    ATTRIBUTE(conditional, matrix, S_conditional);
    int conditions = PyObject_IsTrue(conditional);
    Py_DECREF(conditional);
    return conditions < 0 ? conditions : !conditions;
}

/* Find the permission of an evaluation, which is not a right on one project. */
static int find_permission(Place *place, const Item *item, PyObject **name, PyObject **held) {
    Py_ssize_t size = item->type.size + 1 + item->action.size;
    PyObject *permissions;
    if (!(*name = PyUnicode_New(size, 127))) return -1;
    char *text = (char *)PyUnicode_1BYTE_DATA(*name);
    memcpy(text, item->type.at, item->type.size);
    text[item->type.size] = ':';
    memcpy(text + item->type.size + 1, item->action.at, item->action.size);
    ATTRIBUTE(permissions, place->catalog, S_permissions);
    int found = look_up(permissions, *name, held);
    Py_DECREF(permissions);
    NEEDS(found);
    return is_attribute(*held, S_on_project, Py_False);
}

/* Decide one evaluation: (decision, account, user, permission, resource, project). */
static int decide(Place *place, const Item *item, PyObject **result) {
    PyObject *permission = NULL, *held = NULL, *matrix = NULL, *project_id = NULL, *name = NULL;
    int usual = find_place(place, item);
    if (usual > 0) usual = find_permission(place, item, &permission, &held);
    if (usual > 0) usual = not_registered(place, item);
    if (usual > 0) usual = matrix_in(place, held, item, &project_id, &matrix);
    if (usual > 0) usual = outcome(place, item, held, matrix, &name);
    if (usual > 0) {
        PyObject *decision = PyObject_GetAttr(matrix, name), *resource_id = ascii(item->id);
        *result = PyTuple_New(6);
        if (decision && resource_id && *result) {
            PyTuple_SET_ITEM(*result, 0, Py_NewRef(decision));
            PyTuple_SET_ITEM(*result, 1, Py_NewRef(place->account_id));
            PyTuple_SET_ITEM(*result, 2, Py_NewRef(place->user_id));
            PyTuple_SET_ITEM(*result, 3, Py_NewRef(permission));
            PyTuple_SET_ITEM(*result, 4, Py_NewRef(resource_id));
            PyTuple_SET_ITEM(*result, 5, Py_NewRef(project_id));
        } else {
            Py_CLEAR(*result);
            usual = -1;
        }
        Py_XDECREF(decision);
        Py_XDECREF(resource_id);
    }
    Py_XDECREF(permission);
    Py_XDECREF(held);
    Py_XDECREF(matrix);
    Py_XDECREF(project_id);
    return usual;
}

/* ---- The functions of the module. ---- */

static int arguments(
    PyObject *const *args, Py_ssize_t count, Py_ssize_t wanted, Reader *in, Place *place
) {
    if (!EMPTY || count != wanted || !PyBytes_Check(args[0]) || !PyDict_Check(args[1])
        || !PyDict_Check(args[2]) || !PyAnySet_Check(args[3])) {
        PyErr_SetString(PyExc_TypeError, "takes a body, accounts, external ids, disabled users");
        return -1;
    }
    in->at = PyBytes_AS_STRING(args[0]);
    in->end = in->at + PyBytes_GET_SIZE(args[0]);
    place->accounts = args[1];
    place->external = args[2];
    place->disabled = args[3];
    return 1;
}

static int at_end(Reader *in) {
    skip_blanks(in);
    return in->at == in->end;
}

static PyObject *one(PyObject *module, PyObject *const *args, Py_ssize_t count) {
    Reader in;
    Place place = {0};
    Item item = {0}, nothing = {0};
    PyObject *result = NULL;
    if (arguments(args, count, 4, &in, &place) < 0) return NULL;
    int usual = take_object(&in, of_item, &item) && at_end(&in) && complete(&item, &nothing);
    if (usual) usual = decide(&place, &item, &result);
    clear_place(&place);
    if (usual < 0) return NULL;
    return usual ? result : Py_NewRef(Py_None);
}

static PyObject *several(PyObject *module, PyObject *const *args, Py_ssize_t count) {
    Reader in;
    Place place = {0};
    Batch batch = {0};
    PyObject *results = NULL;
    if (arguments(args, count, 5, &in, &place) < 0) return NULL;
    long most = PyLong_AsLong(args[4]);
    if (most < 0 || most > 1000) {
        if (!PyErr_Occurred()) PyErr_SetString(PyExc_ValueError, "too many");
        return NULL;
    }
    batch.most = (int)most;
    batch.items = PyMem_Malloc((most + 1) * sizeof(Item));
    if (!batch.items) return PyErr_NoMemory();
    int usual = take_object(&in, of_batch, &batch) && at_end(&in) && batch.count > 0;
    if (usual && !(results = PyList_New(batch.count))) usual = -1;
    for (int each = 0; usual > 0 && each < batch.count; each++) {
        PyObject *result = NULL;
        usual = complete(&batch.items[each], &batch.defaults);
        if (usual) usual = decide(&place, &batch.items[each], &result);
        if (usual > 0) PyList_SET_ITEM(results, each, result);
    }
    PyMem_Free(batch.items);
    clear_place(&place);
    if (usual <= 0) Py_CLEAR(results);
    if (usual < 0) return NULL;
    return results ? results : Py_NewRef(Py_None);
}

static PyObject *set_up(PyObject *module, PyObject *args) {
    PyObject *account, *member, *ordinary, *empty;
    const char *prefix;
    Py_ssize_t size;
    if (!PyArg_ParseTuple(args, "OOOOy#", &account, &member, &ordinary, &empty, &prefix, &size))
        return NULL;
    if (size <= 0 || size > (Py_ssize_t)sizeof TOKEN_PREFIX) {
        PyErr_SetString(PyExc_ValueError, "another beginning of API tokens");
        return NULL;
    }
    memcpy(TOKEN_PREFIX, prefix, size);
    TOKEN_PREFIX_SIZE = size;
    Py_XSETREF(ACTIVE_ACCOUNT, Py_NewRef(account));
    Py_XSETREF(ACTIVE_MEMBER, Py_NewRef(member));
    Py_XSETREF(ORDINARY, Py_NewRef(ordinary));
    Py_XSETREF(EMPTY, Py_NewRef(empty));
    Py_RETURN_NONE;
}

static PyMethodDef FUNCTIONS[] = {
    {"set_up", set_up, METH_VARARGS, "Take the objects that stand for usual states."},
    {"one", (PyCFunction)(void (*)(void))one, METH_FASTCALL, "Decide a body with one evaluation."},
    {"several", (PyCFunction)(void (*)(void))several, METH_FASTCALL, "Decide a batch."},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef MODULE = {
    .m_base = PyModuleDef_HEAD_INIT, .m_name = "usual_checks", .m_size = -1, .m_methods = FUNCTIONS,
};

PyMODINIT_FUNC PyInit_usual_checks(void) {
    struct { PyObject **into; const char *text; } names[] = {
        {&S_status, "status"}, {&S_second_factor, "require_second_factor"},
        {&S_members, "members"}, {&S_get, "get"}, {&S_terms, "terms"}, {&S_catalog, "catalog"},
        {&S_permissions, "permissions"}, {&S_on_project, "on_project"},
        {&S_project_scoped, "project_scoped"}, {&S_bit, "bit"}, {&S_resources, "resources"},
        {&S_projects, "projects"}, {&S_role, "role"}, {&S_all_mask, "all_mask"},
        {&S_self_mask, "self_mask"}, {&S_conditional, "conditional"}, {&S_allowed, "allowed"},
        {&S_missing, "missing"}, {&S_owner_unknown, "owner_unknown"}, {&S_not_owner, "not_owner"},
        {&S_expires_at, "expires_at"}, {&S_overrides, "overrides"}, {&S_matrix, "matrix"},
    };
    for (size_t each = 0; each < sizeof names / sizeof *names; each++)
        if (!(*names[each].into = PyUnicode_InternFromString(names[each].text))) return NULL;
    return PyModule_Create(&MODULE);
}
