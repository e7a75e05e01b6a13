#include "csignals.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

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

void csignals_report_bus_errors(void) {
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_handler = bus_error;
  sigaction(SIGBUS, &action, 0);
}
