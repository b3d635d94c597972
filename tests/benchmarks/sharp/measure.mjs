// Makes four derivatives by sharp, over and over, and says what that took.
// node measure.mjs <clones | cascade> <threads, 0: as many as there are> <picture> <repetitions> <where to write them>
import fs from 'node:fs';
import sharp from 'sharp';

const [design, threads, path, repetitions, into] = process.argv.slice(2);
const VARIANTS = [['large', 2400, null, 90], ['medium', 1200, null, 85], ['small', 600, null, 85], ['thumb', 300, 300, 80]];
const sized = (image, width, height) =>
  image.resize(width, height, height ? { fit: 'cover' } : { withoutEnlargement: true });

// One sharp object, cloned for each derivative: each clone decodes the picture anew.
async function clones(input) {
  const upright = sharp(input).rotate();
  return Promise.all(
    VARIANTS.map(([, width, height, quality]) => sized(upright.clone(), width, height).jpeg({ quality }).toBuffer()),
  );
}

// One decode: each derivative is made from the pixels of the one before it.
async function cascade(input) {
  const made = [];
  let image = sharp(input).rotate();
  for (const [, width, height, quality] of VARIANTS) {
    const { data, info } = await sized(image, width, height).raw().toBuffer({ resolveWithObject: true });
    const raw = { raw: { width: info.width, height: info.height, channels: info.channels } };
    made.push(await sharp(data, raw).jpeg({ quality }).toBuffer());
    image = sharp(data, raw);
  }
  return made;
}

sharp.cache(false);
sharp.concurrency(Number(threads));
const make = { clones, cascade }[design];
const input = fs.readFileSync(path);
let made = await make(input); // the first call is not measured: it loads code
const [used, began] = [process.cpuUsage(), performance.now()];
for (let number = 0; number < Number(repetitions); number += 1) made = await make(input);
const wall = performance.now() - began;
const { user, system } = process.cpuUsage(used);
VARIANTS.forEach(([name], number) => fs.writeFileSync(`${into}/${name}.jpg`, made[number]));
const peak = /VmHWM:\s+(\d+)/.exec(fs.readFileSync('/proc/self/status', 'utf8'))[1];
console.log(JSON.stringify({
  cpu: (user + system) / 1000 / repetitions, wall: wall / repetitions, memory: peak / 1024, version: sharp.versions.sharp,
}));
