#define _GNU_SOURCE
#include "cnodekit.h"

#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <stdbool.h>
#include <string.h>

struct search {
  const void *address; /* inside the library looked for */
  char *text;
  size_t capacity;
  size_t digits;
};

static bool holds(const struct dl_phdr_info *info, const void *address) {
  for (int i = 0; i < info->dlpi_phnum; i++) {
    const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
    ElfW(Addr) start = info->dlpi_addr + segment->p_vaddr;
    if (segment->p_type == PT_LOAD && (ElfW(Addr))address - start < segment->p_memsz) return true;
  }
  return false;
}

static size_t aligned(size_t size) { return (size + 3) & ~(size_t)3; }

static void read_notes(struct search *search, const unsigned char *notes, size_t size) {
  size_t at = 0;
  while (size - at >= sizeof(ElfW(Nhdr))) {
    const ElfW(Nhdr) *note = (const ElfW(Nhdr) *)(notes + at);
    size_t name = at + sizeof *note, content = name + aligned(note->n_namesz), end = content + note->n_descsz;
    if (end > size) return;
    if (note->n_type == NT_GNU_BUILD_ID && note->n_namesz == 4 && memcmp(notes + name, "GNU", 4) == 0) {
      if (2 * (size_t)note->n_descsz >= search->capacity) return;
      for (size_t i = 0; i < note->n_descsz; i++) {
        search->text[search->digits++] = "0123456789abcdef"[notes[content + i] >> 4];
        search->text[search->digits++] = "0123456789abcdef"[notes[content + i] & 15];
      }
      search->text[search->digits] = 0;
      return;
    }
    at = content + aligned(note->n_descsz);
    if (at > size) return;
  }
}

static int visit(struct dl_phdr_info *info, size_t size, void *data) {
  (void)size;
  struct search *search = data;
  if (!holds(info, search->address)) return 0;
  for (int i = 0; i < info->dlpi_phnum && search->digits == 0; i++) {
    const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
    if (segment->p_type == PT_NOTE)
      read_notes(search, (const unsigned char *)(info->dlpi_addr + segment->p_vaddr), segment->p_memsz);
  }
  return 1;
}

size_t cnodekit_build_id(char *text, size_t capacity) {
  struct search search = {(const void *)&cnodekit_build_id, text, capacity, 0};
  if (capacity == 0) return 0;
  text[0] = 0;
  dl_iterate_phdr(visit, &search);
  return search.digits;
}

const char *cnodekit_library_path(void) {
  Dl_info info;
  return dladdr((const void *)&cnodekit_library_path, &info) != 0 ? info.dli_fname : NULL;
}
