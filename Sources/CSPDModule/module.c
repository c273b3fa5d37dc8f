#include "spdc_module.h"
