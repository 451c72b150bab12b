// Every flow, in the order in which the page offers them.

import { ais, funds, pis } from './berlin_group.js';
import { bunq } from './bunq.js';

export const flows = [ais, pis, funds, bunq];

/** A flow by its id; the first if there is none. */
export const flowOf = (id) => flows.find((flow) => flow.id === id) ?? flows[0];
