import { parentPort } from 'node:worker_threads'
import type { Asked, Said } from './reading-thread.ts'

/** Answers what a `ReadingThread` asks; `buffersOf` an answer are handed over rather than copied. To be called by the thread's script. */
export function answerQuestions<Question, Answer>(
  answerTo: (question: Question) => Answer,
  buffersOf: (answer: Answer) => readonly ArrayBuffer[],
): void {
  const say = (said: Said<Answer>, buffers: readonly ArrayBuffer[] = []) => parentPort?.postMessage(said, [...buffers])
  parentPort?.on('message', ({ id, question }: Asked<Question>) => {
    try {
      const answer = answerTo(question)
      say({ id, answer }, buffersOf(answer))
    } catch (error) {
      const { message, code } = error as NodeJS.ErrnoException
      say({ id, error: { message, code } })
    }
  })
}
