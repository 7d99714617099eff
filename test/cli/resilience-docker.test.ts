import { describeDocker } from '../support/docker.js';
import { resilienceScenario } from './resilience.js';

describeDocker('docker', () => resilienceScenario('docker'));
