#ifndef CHAPTER_01_STORY_H
#define CHAPTER_01_STORY_H

#include "common/error.h"

// What the program shows when it is given no shape.
lll_status story(lll_error *err);

#endif
