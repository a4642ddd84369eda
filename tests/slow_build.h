/** Builds in which a test takes several times as long, and leaves out what others show. */
#ifndef RESMARK_TESTS_SLOW_BUILD_H
#define RESMARK_TESTS_SLOW_BUILD_H

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || !defined(__OPTIMIZE__)
#define SLOW_BUILD true
#elif defined(__has_feature)
#define SLOW_BUILD (__has_feature(address_sanitizer) || __has_feature(thread_sanitizer))
#else
#define SLOW_BUILD false
#endif

#endif
