/** Whether an object is as its spec wants it: kstatus' words. */
export interface Health {
  readonly state: 'Current' | 'InProgress' | 'Failed' | 'Terminating'
  /** Why it is not `Current`, or what it waits for; empty otherwise. */
  readonly message: string
}
