import { randomBytes } from 'node:crypto';
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import type Dockerode from 'dockerode';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ensureImage, imageState } from '../../src/runtime/docker/image.js';
import { LABEL } from '../../src/runtime/docker/labels.js';
import { hasImage } from '../../src/runtime/docker/pull.js';
import { describeDocker } from '../support/docker.js';
import { removeFolder, testPrograms } from './bed.js';
import { testEngine } from './docker-bed.js';

describeDocker('the image', () => {
  const repository = `mesh-sandbox-image-test-${randomBytes(3).toString('hex')}`;
  let docker: Dockerode;
  let programs: string;
  const make = (owner: string, wanted: string | null = null) =>
    ensureImage({ docker, programs, owner, repository, wanted }, () => {});

  beforeAll(async () => {
    docker = (await testEngine()).docker;
    programs = await testPrograms();
  });

  afterAll(async () => {
    const images = await docker.listImages({ filters: { reference: [repository] } });
    await Promise.all(images.map(({ Id }) => docker.getImage(Id).remove({ force: true })));
    removeFolder(programs);
  });

  it('is made once, and again only when a program changes', async () => {
    const first = await make('me');
    expect(await make('me')).toMatchObject({ image: first.image, text: expect.stringContaining('present already') });
    appendFileSync(join(programs, 'app.cjs'), '\n// changed\n');
    const second = await make('me');
    expect(second.image).not.toBe(first.image);
    expect(await hasImage(docker, first.image)).toBe(false);
    const { Id: newest } = await docker.getImage(second.image).inspect();
    expect((await docker.getImage(`${repository}:local`).inspect()).Id).toBe(newest);
  });

  it('leaves images of other owners alone', async () => {
    appendFileSync(join(programs, 'app.cjs'), '\n// their version\n');
    const theirs = await make('somebody-else');
    appendFileSync(join(programs, 'app.cjs'), '\n// changed again\n');
    const ours = await make('me');
    expect(ours.image).not.toBe(theirs.image);
    expect(await hasImage(docker, theirs.image)).toBe(true);
    // The same content is shared, whoever made it.
    expect(await make('third')).toMatchObject({ image: ours.image });
  });

  it('lends containers no label of ownership', async () => {
    const { image } = await make('me');
    const { Labels } = (await docker.getImage(image).inspect()).Config;
    expect(Labels).toEqual({ [LABEL.imageOwner]: 'me' });
  });

  it('is the one that the user names, or the reason why not', async () => {
    const { image } = await make('me');
    expect(await make('me', image)).toEqual({ image, text: `${image}, as asked` });
    await expect(make('me', 'registry.invalid/none:1')).rejects.toThrow(
      'the image registry.invalid/none:1 is not here and cannot be fetched',
    );
  });

  it('is described for doctor', async () => {
    const state = await imageState(docker);
    if (state !== null) expect(state).toMatch(/^mesh-sandbox:local, \d+ MB, made \d{4}-/);
  });
});
