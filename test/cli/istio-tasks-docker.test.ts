import { describeDocker } from '../support/docker.js';
import { istioTasksScenario } from './istio-tasks.js';

describeDocker('docker', () => istioTasksScenario('docker'));
