/** Why an appliance may not be named at all: bits of its state. Zero: it may. */
export const STATE = {
  /** There is no such appliance (any more). */
  Absent: 1,
  /** It does not answer. */
  Down: 2,
  /** Its mode is not `InService`, or it or its site is being deleted. */
  Draining: 4,
  /** It has not said where it can be reached. */
  NoAddress: 8,
  /** Its site is of tier `origin`, or not known. */
  OriginOnly: 16,
} as const
