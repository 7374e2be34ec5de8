import { once } from 'node:events'
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { parse } from 'yaml'
import { findProgram } from '../kube/assets.ts'
import { programFile } from '../support/built-program.ts'
import { Folder, program, type RunOptions, startTestServer, type TestServer, weir } from './harness.ts'

const kubectl = findProgram('kubectl')
if (!kubectl) console.warn('there is no kubectl in KUBEBUILDER_ASSETS or on the PATH: the pipeline is not run')
const whenKubectl = kubectl ? describe : describe.skip

const folder = new Folder()
afterAll(() => folder[Symbol.dispose]())
const repository = join(folder.path, 'fleet')
const read = (path: string) => readFileSync(join(repository, path), 'utf8')
beforeAll(async () => {
  expect((await weir(['init', 'fleet'], { cwd: folder.path })).code).toBe(0)
})

interface Step {
  readonly name?: string
  readonly uses?: string
  readonly run?: string
  readonly if?: string
  readonly id?: string
  readonly env?: Readonly<Record<string, string>>
  readonly with?: Readonly<Record<string, unknown>>
}
interface Workflow {
  readonly on: object
  readonly permissions: Readonly<Record<string, string>>
  readonly env: Readonly<Record<string, string>>
  readonly jobs: {
    readonly check: {
      readonly steps: readonly Step[]
      readonly defaults: { readonly run: { readonly shell: string } }
    } & Record<string, unknown>
  }
}

describe('the workflow for GitHub', () => {
  const workflow = () => parse(read('.github/workflows/weir.yaml')) as Workflow

  // It was also held against SchemaStore's github-workflow.json, which is not copied here.
  test('is one: events, jobs and steps as GitHub knows them, and no more rights than it needs', () => {
    const { on, permissions, jobs, ...rest } = workflow()
    expect(Object.keys(rest).sort()).toEqual(['concurrency', 'env', 'name'])
    expect(Object.keys(on)).toEqual(['pull_request', 'push'])
    expect(permissions).toEqual({ contents: 'read', 'pull-requests': 'write' })
    expect(Object.keys(jobs)).toEqual(['check'])
    const { steps, ...job } = jobs.check
    expect(Object.keys(job).sort()).toEqual(['defaults', 'runs-on', 'timeout-minutes'])
    for (const step of steps) {
      expect(
        Object.keys(step).filter((key) => !['name', 'uses', 'run', 'if', 'id', 'env', 'with'].includes(key)),
      ).toEqual([])
      expect([step.uses, step.run].filter((what) => what !== undefined)).toHaveLength(1)
      if (step.uses) expect(step.uses).toMatch(/^actions\/[a-z-]+@v\d+$/)
    }
    const ids = steps.flatMap(({ id }) => id ?? [])
    for (const [, id] of read('.github/workflows/weir.yaml').matchAll(/steps\.(\w+)\./g)) expect(ids).toContain(id)
    // A title or a branch in a script would be a way in for whoever opens a pull request.
    for (const { run } of steps) expect(run ?? '').not.toContain('${{')
  })
})

/** GitHub's program, as far as the workflow asks it: writes down what it is asked, gives the comments that there are, and keeps the one it is given. */
const GH = String.raw`
printf '%s\n' "$*" >>"$GH_LOG"
for word; do
  case $word in
    --paginate) cat "$GH_COMMENTS" ;;
    body=@*) cp "$ {word#body=@}" "$GH_LOG.body" ;;
    */comment.md) cp "$word" "$GH_LOG.body" ;;
  esac
done`.replaceAll('$ {', '${')

whenKubectl('the pipeline', () => {
  let server: TestServer
  let bin: string
  beforeAll(async () => {
    server = await startTestServer()
    bin = join(folder.path, 'bin')
    mkdirSync(bin)
    script('weir', `exec "${process.execPath}" "${programFile()}" "$@"`)
    script('kubectl', `exec "${kubectl}" "$@"`)
    // What GitHub's program is asked, and the comments that there are.
    script('gh', GH)
  })
  afterAll(async () => {
    await server[Symbol.asyncDispose]()
  })

  function script(name: string, text: string): void {
    writeFileSync(join(bin, name), `#!/usr/bin/env bash\n${text}\n`)
    chmodSync(join(bin, name), 0o755)
  }

  interface Event {
    readonly pullRequest: boolean
    readonly secrets?: Readonly<Record<string, string>>
    readonly flags?: string
    /** The comment that an earlier run made. */
    readonly comment?: string
  }
  interface Job {
    /** Steps that ran, each with its exit code. */
    readonly ran: readonly (readonly [string, number | null])[]
    readonly output: string
    readonly summary: string
    /** What gh was asked. */
    readonly asked: string
    readonly comment: string
  }

  /** Runs the steps as GitHub's runner does: with its shell, in order, until one fails; what is in `\${{ }}` is looked up. */
  async function runJob(at: string, { pullRequest, secrets = {}, flags, comment }: Event): Promise<Job> {
    using temp = new Folder()
    const files = Object.fromEntries(
      ['summary', 'output', 'gh.log', 'gh.log.body', 'comments'].map((name) => [name, temp.file(name, '')]),
    ) as Record<string, string>
    if (comment !== undefined) writeFileSync(files.comments!, `${comment}\n`)
    const { env, jobs } = parse(readFileSync(join(at, '.github/workflows/weir.yaml'), 'utf8')) as Workflow
    const context: Record<string, string> = { 'github.token': 'token', 'github.event.pull_request.number': '7' }
    for (const [name, value] of Object.entries(secrets)) context[`secrets.${name}`] = value
    const lookUp = (text: string) => text.replace(/\$\{\{ (.*?) \}\}/g, (_, name: string) => context[name] ?? '')
    const wanted = (condition = 'true') =>
      condition.split(' && ').every((part) => {
        if (part === 'true' || part === 'github.event.pull_request.head.repo.full_name == github.repository')
          return true
        expect(part).toBe("github.event_name == 'pull_request'")
        return pullRequest
      })
    const ran: [string, number | null][] = []
    let output = ''
    for (const step of jobs.check.steps) {
      if (step.run === undefined || step.name === 'Install' || !wanted(step.if)) continue
      const own = Object.entries(step.env ?? {}).map(([name, value]) => [name, lookUp(value)])
      const options: RunOptions = {
        cwd: at,
        env: {
          PATH: `${bin}:/usr/bin:/bin`,
          ...env,
          GITHUB_ACTIONS: 'true',
          GITHUB_REPOSITORY: 'us/fleet',
          GITHUB_STEP_SUMMARY: files.summary!,
          GITHUB_OUTPUT: files.output!,
          RUNNER_TEMP: temp.path,
          GH_LOG: files['gh.log']!,
          GH_COMMENTS: files.comments!,
          ...Object.fromEntries(own),
          ...(step.id === 'plan' && flags !== undefined && { PLAN_FLAGS: flags }),
        },
      }
      expect(jobs.check.defaults.run.shell).toBe('bash')
      const result = await program('bash', ['--noprofile', '--norc', '-eo', 'pipefail', '-c', step.run], options)
      ran.push([step.name!, result.code])
      output += result.stdout + result.stderr
      for (const [, name, value] of readFileSync(files.output!, 'utf8').matchAll(/^(\w+)=(.*)$/gm))
        context[`steps.${step.id}.outputs.${name}`] = value!
      if (result.code !== 0) break
    }
    const written = (name: string) => readFileSync(files[name]!, 'utf8')
    return { ran, output, summary: written('summary'), asked: written('gh.log'), comment: written('gh.log.body') }
  }

  const everything = () => {
    const kubeconfig = readFileSync(server.kubeconfig, 'utf8')
    return { KUBECONFIG_STAGING: kubeconfig, KUBECONFIG_PRODUCTION: kubeconfig }
  }

  test('validates a push, and plans nothing', async () => {
    const { ran, output } = await runJob(repository, { pullRequest: false })
    expect([ran, output]).toEqual([[['Validate', 0]], expect.stringContaining('--- overlays/staging\n')])
  })

  test('plans a pull request for each environment that there is a secret for, and comments', async () => {
    const { KUBECONFIG_STAGING } = everything()
    const { ran, comment, summary, asked } = await runJob(repository, {
      pullRequest: true,
      secrets: { KUBECONFIG_STAGING },
    })
    expect(ran).toEqual([
      ['Validate', 0],
      ['Plan', 0],
      ['Comment', 0],
      ['Verdict', 0],
    ])
    expect(comment).toBe(`<!-- weir plans -->\n${summary}`)
    expect(summary).toMatch(/## staging\n[^#]*### weir plan: 6 to add/)
    expect(summary).toContain('Site/fra1')
    expect(summary).toContain('## production\n\nNot planned: there is no secret `KUBECONFIG_PRODUCTION`.')
    expect(asked).toMatch(/^pr comment 7 --repo us\/fleet --body-file /m)
    expect(existsSync(join(repository, 'plan.md'))).toBe(true)
  })

  test('what it plans is applied, and then there is nothing to plan; the comment is edited', async () => {
    for (const overlay of ['staging', 'production']) {
      const env = { PATH: `${bin}:/usr/bin:/bin` }
      const applied = await server.weir(['apply', '-k', `overlays/${overlay}`, '--no-wait'], { cwd: repository, env })
      expect([applied.code, applied.stderr]).toEqual([0, ''])
      expect(applied.stdout.trim().split('\n')).toHaveLength(6)
    }
    const { ran, summary, asked, comment } = await runJob(repository, {
      pullRequest: true,
      secrets: everything(),
      comment: '42',
    })
    expect(ran.map(([, code]) => code)).toEqual([0, 0, 0, 0])
    expect(summary).toMatch(/## production\n[^#]*### weir plan: [^\n]*6 unchanged/)
    expect(asked).toMatch(/^api --method PATCH repos\/us\/fleet\/issues\/comments\/42 /m)
    expect(comment).toContain('## staging')
  })

  test.each<[string, (at: string) => void, Omit<Event, 'pullRequest'>, [string, number][], RegExp]>([
    [
      'a mistake is an annotation at its line, and ends the job',
      (at) => {
        const file = join(at, 'overlays/staging/sites/fra1.yaml')
        writeFileSync(file, readFileSync(file, 'utf8').replace('country:', 'contry:'))
      },
      {},
      [['Validate', 2]],
      /^::error file=overlays\/staging\/sites\/fra1\.yaml,line=\d+,.*contry/m,
    ],
    [
      'an API that is not there fails the check, after the comment',
      () => {},
      {
        secrets: {
          KUBECONFIG_PRODUCTION:
            'apiVersion: v1\nkind: Config\ncurrent-context: a\nclusters: [{name: a, cluster: {server: "http://127.0.0.1:1"}}]\ncontexts: [{name: a, context: {cluster: a, user: a}}]\nusers: [{name: a, user: {}}]\n',
        },
      },
      [
        ['Validate', 0],
        ['Plan', 0],
        ['Comment', 0],
        ['Verdict', 3],
      ],
      /::error::An API server could not be asked/,
    ],
    [
      'a gate fails the check, after the comment',
      () => {},
      { secrets: { KUBECONFIG_PRODUCTION: '' }, flags: '--delete --max-deletes 0' },
      [
        ['Validate', 0],
        ['Plan', 0],
        ['Comment', 0],
        ['Verdict', 5],
      ],
      /::error::A gate refused the plan/,
    ],
  ])('%s', async (_why, change, event, ran, output) => {
    using other = new Folder()
    expect(
      (await weir(['init', '--environments', event.secrets ? 'production' : 'staging,production'], { cwd: other.path }))
        .code,
    ).toBe(0)
    change(other.path)
    const secrets = event.secrets?.KUBECONFIG_PRODUCTION === '' ? everything() : event.secrets
    const job = await runJob(other.path, { ...event, pullRequest: true, ...(secrets && { secrets }) })
    expect([job.ran, job.output]).toEqual([ran, expect.stringMatching(output)])
  })

  test('GitLab’s validates, plans, and posts the plans to the merge request', async () => {
    using other = new Folder()
    expect((await weir(['init', '--ci', 'gitlab'], { cwd: other.path })).code).toBe(0)
    const { weir: job } = parse(readFileSync(join(other.path, '.gitlab-ci.yml'), 'utf8')) as {
      readonly weir: { readonly script: readonly string[]; readonly variables: Readonly<Record<string, string>> }
    }
    const notes: { readonly url: string | undefined; readonly token: unknown; readonly body: string | null }[] = []
    const gitlab = createServer(async (request, response) => {
      const body = new URLSearchParams(await text(request)).get('body')
      notes.push({ url: request.url, token: request.headers['private-token'], body })
      response.writeHead(201).end('{}')
    }).listen(0, '127.0.0.1')
    try {
      await once(gitlab, 'listening')
      const url = `http://127.0.0.1:${(gitlab.address() as AddressInfo).port}/api/v4`
      const own = { CI_MERGE_REQUEST_IID: '7', CI_PROJECT_ID: '3', CI_API_V4_URL: url, WEIR_COMMENT_TOKEN: 'secret' }
      const env = { PATH: `${bin}:/usr/bin:/bin`, ...job.variables, ...own, ...everything() }
      const ran = await program('bash', ['-eo', 'pipefail', '-c', job.script.join('\n')], { cwd: other.path, env })
      expect([ran.code, ran.stdout]).toEqual([0, expect.stringMatching(/## staging\n[^#]*### weir plan: /)])
      expect(notes).toEqual([
        {
          url: '/api/v4/projects/3/merge_requests/7/notes',
          token: 'secret',
          body: readFileSync(join(other.path, 'plan.md'), 'utf8'),
        },
      ])
    } finally {
      gitlab.close()
    }
  })
})
