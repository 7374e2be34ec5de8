/** YAML 1.1 and 1.2, as programs need it that may not choose a library of their own. Import it only where YAML is: loading takes time. */
export { parseDocument, stringify } from 'yaml'
