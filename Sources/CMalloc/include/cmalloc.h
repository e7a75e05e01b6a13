// glibc's malloc.h, which Swift's Glibc module leaves out.
#ifndef GRAPHRUN_CMALLOC_H
#define GRAPHRUN_CMALLOC_H

/// Gives free memory back to the system; does nothing where the C library cannot.
void cmalloc_trim(void);

#endif
