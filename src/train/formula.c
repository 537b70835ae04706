#include "train/formula.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { DEEPEST = 100 };

struct reader {
    const char *text, *at;
    const struct variable *variables;
    size_t count;
    int depth;
    strata_error *err;
};

static bool wrong(const struct reader *r, const char *expected)
{
    return strata_fail(r->err, STRATA_EVALUE, "\"%s\": %s is expected at \"%s\"", r->text, expected,
                       *r->at ? r->at : "its end");
}

/* Whether the text goes on with the sign, which is then passed. */
static bool next_is(struct reader *r, const char *sign)
{
    while (isspace((unsigned char)*r->at)) r->at++;
    const size_t length = strlen(sign);
    if (strncmp(r->at, sign, length) != 0) return false;
    r->at += length;
    return true;
}

static bool choice(struct reader *r, double *value);

/* ---- names ------------------------------------------------------------------------------------------------------------ */

static double smaller(double a, double b)
{
    return a < b ? a : b;
}

static double larger(double a, double b)
{
    return a > b ? a : b;
}

static const struct function {
    const char *name;
    double (*one)(double);
    double (*two)(double, double);
} functions[] = {
    { "exp", exp, NULL },   { "log", log, NULL }, { "sqrt", sqrt, NULL },   { "floor", floor, NULL },
    { "ceil", ceil, NULL }, { "abs", fabs, NULL }, { "sin", sin, NULL },    { "cos", cos, NULL },
    { "pow", NULL, pow },   { "min", NULL, smaller }, { "max", NULL, larger },
};

static bool call(struct reader *r, const struct function *f, double *value)
{
    double a, b = 0;
    if (!next_is(r, "(")) return wrong(r, "\"(\"");
    if (!choice(r, &a) || (f->two && ((!next_is(r, ",") && !wrong(r, "\",\"")) || !choice(r, &b)))) return false;
    if (!next_is(r, ")")) return wrong(r, "\")\"");
    *value = f->two ? f->two(a, b) : f->one(a);
    return true;
}

static bool named(struct reader *r, double *value)
{
    const char *name = r->at;
    size_t length = 0;
    while (isalnum((unsigned char)name[length]) || name[length] == '_') length++;
    for (size_t i = 0; i < r->count; i++) {
        if (strlen(r->variables[i].name) != length || strncmp(name, r->variables[i].name, length) != 0) continue;
        r->at += length;
        *value = r->variables[i].value;
        return true;
    }
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
        if (strlen(functions[i].name) != length || strncmp(name, functions[i].name, length) != 0) continue;
        r->at += length;
        return call(r, &functions[i], value);
    }
    if (length == 2 && strncmp(name, "pi", 2) == 0) {
        r->at += 2;
        *value = 3.14159265358979323846;
        return true;
    }
    return strata_fail(r->err, STRATA_EVALUE, "\"%s\": unknown name \"%.*s\"; epoch and lr are known", r->text,
                       (int)length, name);
}

/* ---- levels, from what binds most --------------------------------------------------------------------------------------- */

static bool simple(struct reader *r, double *value)
{
    while (isspace((unsigned char)*r->at)) r->at++;
    if (next_is(r, "(")) return choice(r, value) && (next_is(r, ")") || wrong(r, "\")\""));
    if (isalpha((unsigned char)*r->at)) return named(r, value);
    if (!isdigit((unsigned char)*r->at) && *r->at != '.') return wrong(r, "a number or a name");
    char *end;
    *value = strtod(r->at, &end);
    if (end == r->at) return wrong(r, "a number");
    r->at = end;
    return true;
}

static bool signed_power(struct reader *r, double *value)
{
    double exponent;
    if (++r->depth > DEEPEST) return wrong(r, "something less deep");
    bool ok;
    if (next_is(r, "-")) {
        ok = signed_power(r, value);
        *value = -*value;
    } else {
        ok = simple(r, value);
        if (ok && (next_is(r, "**") || next_is(r, "^"))) {
            ok = signed_power(r, &exponent);
            if (ok) *value = pow(*value, exponent);
        }
    }
    r->depth--;
    return ok;
}

static bool product(struct reader *r, double *value)
{
    double other;
    bool ok = signed_power(r, value);
    while (ok) {
        const char sign = next_is(r, "*") ? '*' : next_is(r, "/") ? '/' : next_is(r, "%") ? '%' : 0;
        if (!sign) break;
        ok = signed_power(r, &other);
        if (ok) *value = sign == '*' ? *value * other : sign == '/' ? *value / other : fmod(*value, other);
    }
    return ok;
}

static bool sum(struct reader *r, double *value)
{
    double other;
    bool ok = product(r, value);
    while (ok) {
        const char sign = next_is(r, "+") ? '+' : next_is(r, "-") ? '-' : 0;
        if (!sign) break;
        ok = product(r, &other);
        if (ok) *value = sign == '+' ? *value + other : *value - other;
    }
    return ok;
}

static double compared(int sign, double a, double b)
{
    switch (sign) {
    case 0: return a <= b;
    case 1: return a >= b;
    case 2: return a == b;
    case 3: return a != b;
    case 4: return a < b;
    default: return a > b;
    }
}

static bool comparison(struct reader *r, double *value)
{
    static const char *const signs[] = { "<=", ">=", "==", "!=", "<", ">" };
    double other;
    if (!sum(r, value)) return false;
    for (int i = 0; i < 6; i++) {
        if (!next_is(r, signs[i])) continue;
        if (!sum(r, &other)) return false;
        *value = compared(i, *value, other);
        return true;
    }
    return true;
}

static bool choice(struct reader *r, double *value)
{
    double yes, no;
    if (++r->depth > DEEPEST) return wrong(r, "something less deep");
    bool ok = comparison(r, value);
    if (ok && next_is(r, "?")) {
        ok = choice(r, &yes) && (next_is(r, ":") || wrong(r, "\":\"")) && choice(r, &no);
        if (ok) *value = *value != 0 ? yes : no;
    }
    r->depth--;
    return ok;
}

bool strata_formula(const char *text, const struct variable *variables, size_t count, double *value,
                    strata_error *err)
{
    struct reader r = { .text = text, .at = text, .variables = variables, .count = count, .err = err };
    if (!choice(&r, value)) return false;
    while (isspace((unsigned char)*r.at)) r.at++;
    return *r.at == '\0' || wrong(&r, "an operator");
}
