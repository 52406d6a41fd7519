#include "core/config/json_values.h"

#ifdef VOXGRAD_JSON_PARTS
VOXGRAD_JSON_PARTS()
#endif
