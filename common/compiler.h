/* What the compiler is asked to enforce: checked results, cleanup on scope exit, sizes. */
#ifndef LK_COMMON_COMPILER_H
#define LK_COMMON_COMPILER_H

/* The caller must look at the result. */
#define MUST_CHECK __attribute__((warn_unused_result))

/* printf-like: the format is argument f, its values begin at argument a (1-based). */
#define PRINTF_LIKE(f, a) __attribute__((format(printf, f, a)))

/* AUTO(x_destroy) x_t *x = NULL;  runs x_destroy(&x) when x leaves its scope. The one cleanup
 * idiom. */
#define AUTO(destructor) __attribute__((cleanup(destructor)))

/* Hands an AUTO pointer over: yields its value and leaves NULL behind. */
#define TAKE(pointer)                                                                              \
    __extension__({                                                                                \
        __typeof__(pointer) taken_ = (pointer);                                                    \
        (pointer) = NULL;                                                                          \
        taken_;                                                                                    \
    })

#define ARRAY_LEN(array) (sizeof(array) / sizeof((array)[0]))

/* Evaluates to 0; does not compile unless the condition holds. */
#define COMPILE_CHECK(condition, text)                                                             \
    (0 * sizeof(struct {                                                                           \
         _Static_assert(condition, text);                                                          \
         int unused;                                                                               \
     }))

#endif
