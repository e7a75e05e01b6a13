#ifndef CSIGNALS_H
#define CSIGNALS_H

// Ends the process with status 1 and a message when a mapped file turns out to be shorter than it was.
void csignals_report_bus_errors(void);

// From now on SIGINT, SIGTERM and SIGHUP do not end the process: each writes one byte into a pipe.
// Returns the pipe's end for reading, which never blocks, or -1.
int csignals_listen(void);

#endif
