import { resilienceScenario } from './resilience.js';

resilienceScenario('local');
