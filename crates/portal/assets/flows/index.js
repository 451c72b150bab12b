// Every flow by its id. Those of a dialect are loaded when one of them is wanted.

const berlinGroup = () => import("./berlin_group.js");

const MODULES = { ais: berlinGroup, pis: berlinGroup, funds: berlinGroup, bunq: () => import("./bunq.js") };

export const ids = Object.keys(MODULES);

/** A flow by its id, as it is at a tenant; the first if there is none. */
export async function flowOf(id, tenant) {
  const known = ids.includes(id) ? id : ids[0];
  const module = await MODULES[known]();
  return module[known](tenant);
}
