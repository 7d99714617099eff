import { istioTasksScenario } from './istio-tasks.js';

istioTasksScenario('local');
