// The question of exercise 04-4.
#include "common/pretokenize_rules.h"

extern const pretokenizer own_rules;
