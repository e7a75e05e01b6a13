#ifndef CSIGNALS_H
#define CSIGNALS_H

// Ends the process with status 1 and a message when a mapped file turns out to be shorter than it was.
void csignals_report_bus_errors(void);

#endif
