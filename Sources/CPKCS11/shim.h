// The GNU spelling of the types: ck_function_list, not CK_FUNCTION_LIST.
#define CRYPTOKI_GNU 1
#include <p11-kit/pkcs11.h>
