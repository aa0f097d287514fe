import { answerQuestion, readQuestion, type AnswerParts, type Cube, type QuestionParameters } from '@niobe/aggregates';
import { NiobeError, type Histogram } from '@niobe/kernel';
import type { Routes } from '@niobe/service';

/** `GET /v1/cubes` and `GET /v1/cubes/:cube`. Answers come from the cells of the grid, never from this process's memory. */

/** What the routes need. */
export interface CubeRouteParts extends AnswerParts {
  readonly cubes: readonly Cube[];
  readonly querySeconds: Histogram;
}

/** The routes. */
export function cubeRoutes(parts: CubeRouteParts): Routes {
  const list = { cubes: parts.cubes.map(describe) };
  const byName = new Map(parts.cubes.map((cube) => [cube.name, cube]));
  return (app) => {
    app.get('/v1/cubes', () => list);
    app.get<{ Params: { cube: string }; Querystring: QuestionParameters }>(
      '/v1/cubes/:cube',
      async ({ params, query }) => {
        const startMs = parts.clock.monotonicMs();
        const question = readQuestion(cubeOf(byName, params.cube), query);
        const answer = await answerQuestion(question, parts);
        parts.querySeconds.observe((parts.clock.monotonicMs() - startMs) / 1000);
        return answer;
      },
    );
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
