#include "csignals.h"

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

static void handle(int number, void (*handler)(int)) {
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_handler = handler;
  action.sa_flags = SA_RESTART;
  sigaction(number, &action, 0);
}

// Only calls that POSIX allows inside a signal handler: the fault may have happened anywhere.
static void bus_error(int number) {
  (void)number;
  static const char message[] =
      "\ngraphrun: error: a model file was changed or truncated while it was in use.\n"
      "  Model files are read while the workflow runs; copy or download them under another name and rename them when "
      "they are complete, then run again.\n";
  ssize_t ignored = write(2, message, sizeof message - 1);
  (void)ignored;
  _exit(1);
}

void csignals_report_bus_errors(void) { handle(SIGBUS, bus_error); }

static int writing_end = -1;

static void forward(int number) {
  int kept = errno;
  unsigned char byte = (unsigned char)number;
  ssize_t ignored = write(writing_end, &byte, 1);
  (void)ignored;
  errno = kept;
}

int csignals_listen(void) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) return -1;
  writing_end = ends[1];
  handle(SIGINT, forward);
  handle(SIGTERM, forward);
  handle(SIGHUP, forward);
  return ends[0];
}
