/** Connections that the controllers' client should have, and Assignments that are worked on at the same time. More make no server faster. */
export const CONTROLLER_CONNECTIONS = 32
