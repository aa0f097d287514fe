import { answerQuestion, readQuestion, type AnswerParts, type Cube, type QuestionParameters } from '@niobe/aggregates';
import { NiobeError, type Histogram } from '@niobe/kernel';
import type { Routes } from '@niobe/service';
import { EVENT_STREAM_TYPE } from '../live/event-stream.ts';
import type { LiveQuestions } from '../live/live-questions.ts';

/**
 * `GET /v1/cubes`, `GET /v1/cubes/:cube` and `GET /v1/cubes/:cube/live`. Answers come from the cells of the grid, never from this process's
 * memory.
 */

/** What the routes need. */
export interface CubeRouteParts extends AnswerParts {
  readonly cubes: readonly Cube[];
  readonly live: LiveQuestions;
  readonly querySeconds: Histogram;
}

interface CubeRequest {
  readonly Params: { cube: string };
  readonly Querystring: QuestionParameters;
}

/** The routes. */
export function cubeRoutes(parts: CubeRouteParts): Routes {
  const list = { cubes: parts.cubes.map(describe) };
  const byName = new Map(parts.cubes.map((cube) => [cube.name, cube]));
  return (app) => {
    app.get('/v1/cubes', () => list);
    app.get<CubeRequest>('/v1/cubes/:cube', async ({ params, query }) => {
      const startMs = parts.clock.monotonicMs();
      const question = readQuestion(cubeOf(byName, params.cube), query);
      const answer = await answerQuestion(question, parts);
      parts.querySeconds.observe((parts.clock.monotonicMs() - startMs) / 1000);
      return answer;
    });
    // A HEAD of it would have no end.
    app.get<CubeRequest>('/v1/cubes/:cube/live', { exposeHeadRoute: false }, async ({ params, query }, reply) => {
      const question = readQuestion(cubeOf(byName, params.cube), query);
      if (question.cursor !== null) throw noCursor();
      const stream = await parts.live.follow(sharingKey(params.cube, query), () => answerQuestion(question, parts));
      return reply.type(EVENT_STREAM_TYPE).header('cache-control', 'no-store').send(stream);
    });
  };
}

function cubeOf(cubes: ReadonlyMap<string, Cube>, name: string): Cube {
  const cube = cubes.get(name);
  if (cube !== undefined) return cube;
  const names = [...cubes.keys()].join(', ');
  throw new NiobeError('NOT_FOUND', `there is no such cube; there are ${names === '' ? 'none' : names}`, {
    path: 'cube',
  });
}

function noCursor(): NiobeError {
  return new NiobeError('BAD_REQUEST', 'cursor: a live answer is always the first page; ask without it', {
    path: 'cursor',
  });
}

/** Equal where cube and parameters are, whatever the order of these. */
function sharingKey(cube: string, parameters: QuestionParameters): string {
  const given = Object.entries(parameters).toSorted(([one], [other]) => (one < other ? -1 : 1));
  return JSON.stringify([cube, given]);
}

function describe({ name, revision, declaration, sets, measures }: Cube): Record<string, unknown> {
  const { on, window, keep, graceMs } = declaration;
  return {
    name,
    revision,
    on,
    by: sets.map(({ dimensions }) => dimensions.map((dimension) => dimension.name)),
    window,
    measures: Object.fromEntries(measures.map((measure) => [measure.name, declaration.measures[measure.name]])),
    keep,
    graceMs,
  };
}
