#include "common/terminal.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "common/error.h"

// @begin terminal-color
bool terminal_color(FILE *out)
{
    const char *refused = getenv("NO_COLOR");
    const char *term = getenv("TERM");
    if (refused != NULL && refused[0] != '\0')
        return false;
    if (term == NULL || strcmp(term, "dumb") == 0)
        return false;
    return isatty(fileno(out)) == 1;
}

int terminal_width(FILE *out)
{
    struct winsize size;
    if (isatty(fileno(out)) != 1)
        return 78;
    if (ioctl(fileno(out), TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
        return size.ws_col;
    // A terminal that does not know its size: the shell may.
    const char *columns = getenv("COLUMNS");
    int width = columns != NULL ? atoi(columns) : 0;
    return width > 0 ? width : 78;
}
// @end terminal-color

// @begin terminal-cell
static const char ramp[] = " .:-=+*#%@";

// 0..steps-1, whatever the level.
static int step_of(double level, int steps)
{
    if (!(level > 0))
        return 0;
    return level >= 1 ? steps - 1 : (int)(level * steps);
}
// @end terminal-cell

// @begin terminal-cells
void terminal_cell(FILE *out, bool color, double level)
{
    // From the 256 colours' 6 x 6 x 6 cube: brightness rises all the way, so
    // that the map reads the same to the colour-blind and in grey.
    static const unsigned char heat[] = {
        16, 17, 18, 19, 25, 31, 37, 42, 77, 112, 148, 184, 220, 226
    };
    if (isnan(level)) {
        fputs("??", out);
    } else if (color) {
        int i = step_of(level, (int)sizeof heat);
        fprintf(out, "\x1b[48;5;%dm  \x1b[0m", heat[i]);
    } else {
        char c = ramp[step_of(level, 10)];
        fprintf(out, "%c%c", c, c);
    }
}
// @end terminal-cells

// @begin terminal-cell-signed
void terminal_cell_signed(FILE *out, bool color, double level)
{
    static const unsigned char cold[] = {16, 17, 18, 19, 20, 21, 27, 33, 39};
    static const unsigned char warm[] = {16, 52, 88, 124, 160, 196, 202, 208,
                                         214};
    if (isnan(level)) {
        fputs("??", out);
    } else if (color) {
        int i = step_of(fabs(level), (int)sizeof cold);
        fprintf(out, "\x1b[48;5;%dm  \x1b[0m", level < 0 ? cold[i] : warm[i]);
    } else {
        int i = step_of(fabs(level), 10);
        fprintf(out, "%c%c", i == 0 ? ' ' : level < 0 ? '-' : '+', ramp[i]);
    }
}
// @end terminal-cell-signed

// @begin terminal-bar
void terminal_bar(FILE *out, bool color, double fraction, int width)
{
    int full = 0;
    if (fraction > 0)
        full = fraction >= 1 ? width : (int)lround(fraction * width);
    if (color)
        fputs("\x1b[38;5;37m", out);
    for (int i = 0; i < width; i++) {
        if (i == full && color)
            fputs("\x1b[0m", out);
        // U+2588, a full block, only where colour shows a modern terminal.
        fputs(i >= full ? " " : color ? "\xe2\x96\x88" : "#", out);
    }
    if (color)
        fputs("\x1b[0m", out);
}
// @end terminal-bar

// @begin terminal-text
void terminal_paint(FILE *out, bool color, int number, const char *text)
{
    if (color)
        fprintf(out, "\x1b[38;5;%dm%s\x1b[0m", number, text);
    else
        fputs(text, out);
}

void terminal_bold(FILE *out, bool color, const char *text)
{
    fprintf(out, color ? "\x1b[1m%s\x1b[0m" : "%s", text);
}

int terminal_text(FILE *out, const char *bytes, size_t n)
{
    int columns = 0;
    while (n > 0) {
        int whole = printable_bytes(bytes, n);
        if (whole > 0) {
            fwrite(bytes, 1, (size_t)whole, out);
            columns++;
        } else {
            columns += fprintf(out, "\\x%02x", (unsigned char)*bytes);
            whole = 1;
        }
        bytes += whole;
        n -= (size_t)whole;
    }
    return columns;
}
// @end terminal-text

// @begin terminal-numbers
void number_text(uint64_t number, char *text, size_t capacity)
{
    char digits[32];
    int n = snprintf(digits, sizeof digits, "%" PRIu64, number);
    size_t used = 0;
    for (int i = 0; i < n; i++) {
        bool comma = i > 0 && (n - i) % 3 == 0;
        if (used + (comma ? 2 : 1) >= capacity)
            break;
        if (comma)
            text[used++] = ',';
        text[used++] = digits[i];
    }
    if (capacity > 0)
        text[used] = '\0';
}

void count_text(uint64_t count, char *text, size_t capacity)
{
    static const char unit[] = " kMGTPE";
    double value = (double)count;
    int i = 0;
    // 999.5 would round to a fourth digit: move on just before it.
    while (value >= 999.5 && i < 6) {
        value /= 1000;
        i++;
    }
    int decimals = i == 0 || value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
    if (i == 0)
        snprintf(text, capacity, "%.0f", value);
    else
        snprintf(text, capacity, "%.*f %c", decimals, value, unit[i]);
}
// @end terminal-numbers

// @begin terminal-progress
void terminal_progress(FILE *out, const char *label, double fraction)
{
    if (isatty(fileno(out)) != 1)
        return;
    fprintf(out, "\r%s [", label);
    terminal_bar(out, terminal_color(out), fraction, 30);
    fprintf(out, "] %3.0f %%%s", 100 * fraction, fraction >= 1 ? "\n" : "");
    fflush(out);
}
// @end terminal-progress
