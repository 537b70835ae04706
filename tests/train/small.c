/* The parts of training that need no device: formulas, event files, histories. */
#include <stdio.h>
#include <unistd.h>

#include "support.h"
#include "train/event_file.h"
#include "train/formula.h"
#include "train/history.h"

static double formula(const char *text)
{
    strata_error err = { 0 };
    const struct variable variables[] = { { "epoch", 3 }, { "lr", 0.5 } };
    double value = NAN;
    ok(strata_formula(text, variables, 2, &value, &err));
    return value;
}

Test(formula, computes_as_one_writes)
{
    cr_assert_eq(formula("1 + 2 * 3"), 7);
    cr_assert_eq(formula("(1 + 2) * 3"), 9);
    cr_assert_eq(formula("-2 ^ 2"), -4);
    cr_assert_eq(formula("2 ^ 3 ^ 2"), 512);
    cr_assert_eq(formula("2 ** -1"), 0.5);
    cr_assert_eq(formula("7 % 4 - 1e1"), -7);
    cr_assert_eq(formula("lr * 0.5 ^ epoch"), 0.0625);
    cr_assert_eq(formula("epoch < 3 ? 1 : epoch == 3 ? 2 : 3"), 2);
    cr_assert_eq(formula("min(max(epoch, 5), pow(2, 2))"), 4);
    cr_assert_float_eq(formula("0.5 * (1 + cos(pi * epoch / 3))"), 0, 1e-15);
    cr_assert_float_eq(formula("lr * exp(-0.1)"), 0.45241870901797976, 1e-15);
}

static void expect_refusal(const char *text, const char *message)
{
    strata_error err = { 0 };
    const struct variable variables[] = { { "epoch", 3 }, { "lr", 0.5 } };
    double value;
    cr_assert_not(strata_formula(text, variables, 2, &value, &err), "%s", text);
    cr_assert_str_eq(err.message, message);
}

Test(formula, shows_where_it_goes_wrong)
{
    expect_refusal("lr *", "\"lr *\": a number or a name is expected at \"its end\"");
    expect_refusal("lr 2", "\"lr 2\": an operator is expected at \"2\"");
    expect_refusal("rate / 2", "\"rate / 2\": unknown name \"rate\"; epoch and lr are known");
    expect_refusal("(lr", "\"(lr\": \")\" is expected at \"its end\"");
}

/* The check value of CRC-32C in Castagnoli's catalogue entry. */
Test(event_file, has_the_checksum_of_castagnoli)
{
    cr_assert_eq(strata_crc32c("123456789", 9), 0xE3069283u);
}

/* The same two records as TensorFlow writes them: the version, and a number. */
Test(event_file, is_framed_as_tensorflow_does)
{
    strata_error err = { 0 };
    char folder[] = "/tmp/strata-events-XXXXXX";
    unsigned char bytes[256];
    cr_assert(mkdtemp(folder));
    char *path = strata_event_file_create(folder, 1.5, "here", &err);
    ok(path);
    ok(strata_event_file_add(path, 2.5, 7, "epoch_loss", 0.25f, &err));
    FILE *file = fopen(path, "rb");
    const size_t size = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    static const unsigned char first[] = {
#include "event_file.inc"
    };
    cr_assert_eq(size, sizeof first);
    cr_assert_arr_eq(bytes, first, sizeof first);
    cr_assert_eq(unlink(path), 0);
    cr_assert_eq(rmdir(folder), 0);
    free(path);
}

Test(history, has_nothing_where_an_epoch_has_nothing)
{
    strata_error err = { 0 };
    const char *names[] = { "loss", "val_loss" };
    const double first[] = { 0.5 }, second[] = { 0.25, 0.75 };
    strata_history *history = strata_history_create(&err);
    ok(history);
    ok(strata_history_add(history, names, first, 1, &err));
    ok(strata_history_add(history, names, second, 2, &err));
    ok(strata_history_add(history, names, first, 1, &err));
    cr_assert_eq(strata_history_epochs(history), 3);
    cr_assert(isnan(strata_history_values(history, 1)[0]));
    cr_assert_eq(strata_history_values(history, 1)[1], 0.75);
    cr_assert(isnan(strata_history_values(history, 1)[2]));
    char *csv = strata_history_csv(history, 1, &err);
    cr_assert_str_eq(csv, "epoch,loss,val_loss\n1,0.5,\n2,0.25,0.75\n3,0.5,\n");
    free(csv);
    strata_history_free(history);
}

Test(history, comes_back_bit_for_bit)
{
    strata_error err = { 0 };
    const char *names[] = { "loss" };
    const double value[] = { 1.0 / 3 };
    strata_history *history = strata_history_create(&err), *other = strata_history_create(&err);
    ok(strata_history_add(history, names, value, 1, &err));
    json_t *json = strata_history_save(history);
    ok(strata_history_restore(other, json, &err));
    cr_assert_eq(strata_history_values(other, 0)[0], value[0]);
    json_decref(json);
    strata_history_free(history);
    strata_history_free(other);
}
