#include <stddef.h>

// In every C library here; glibc's headers show it to those who ask for GNU extensions only.
void *memmem(const void *haystack, size_t haystack_length, const void *needle, size_t needle_length);
